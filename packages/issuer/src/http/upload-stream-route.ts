import { Readable } from "node:stream";
import { Type } from "@sinclair/typebox";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { PortionAnswer, UploadEnd } from "../api/device-api.ts";
import { base64url, type Encoded } from "../api/wire.ts";
import { currentPayeeCertificate } from "../services/payee-certificates.ts";
import type { ServerContext } from "../services/server-context.ts";
import { ServiceError } from "../services/service-error.ts";
import { type ReceivedPortion, receivePortions } from "../services/uploading.ts";
import { loggedFailure } from "./app.ts";
import { TimedChunks, unpackedBody } from "./body-chunks.ts";
import { readPortions } from "./portions.ts";
import { problemDocument } from "./problems.ts";
import { SIGNED_CALL_TYPE } from "./raw-body.ts";
import { EVENT_STREAM_HEADERS, EVENT_STREAM_TYPE, eventText } from "./server-sent-events.ts";
import { CALL_PROBLEMS, signedCall } from "./signed-call-schema.ts";
import { recordText } from "./sync-answer.ts";

type Lists = () => Promise<Pick<Encoded<typeof UploadEnd>, "trustList" | "statusList">>;

/** Streams end by their own clock (body-chunks.ts), not by that of a handler. */
const NO_HANDLER_TIMEOUT_MS = 2_147_483_647;

/**
 * An upload of any length over one connection: a CBOR sequence of portions up, one event a portion down, `end` or
 * `problem` last. Portions are taken one after the other, and none before the answers to those before it were read: so
 * neither a large journal nor a client that never reads takes memory. What was answered with `received` is durable; who
 * is cut off begins anew with what was not.
 */
export async function uploadStreamRoute(
  app: FastifyInstance,
  { context, lists }: { readonly context: ServerContext; readonly lists: Lists },
): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(SIGNED_CALL_TYPE, (_request, _body, done) => done(null));
  const closing = new AbortController();
  app.addHook("preClose", async () => closing.abort());

  app.post(
    "/v1/uploads/stream",
    {
      config: { streamsItsBody: true },
      bodyLimit: Number.MAX_SAFE_INTEGER,
      handlerTimeout: NO_HANDLER_TIMEOUT_MS,
      schema: {
        ...signedCall(
          {
            summary: "A terminal uploads portion by portion.",
            status: 202,
            problems: [...CALL_PROBLEMS, "INBOX_FULL"],
          },
          Type.Any({ description: "Events `received`, one for each portion, then `end`; or a `problem` document." }),
        ),
        produces: [EVENT_STREAM_TYPE],
      },
    },
    async (request, reply) => {
      // What is left unread of a stream that failed must not be taken for the next call.
      reply.header("connection", "close");
      const chunks = new TimedChunks(unpackedBody(request.raw), {
        milliseconds: context.arrivalTimeoutMs,
        closing: closing.signal,
      });
      const received = receivePortions(timed(readPortions(chunks), chunks), context);
      // Whoever may not upload at all, or says nothing, gets an ordinary answer.
      const first = await received.next();
      if (first.done === true) throw new ServiceError("CALL_MALFORMED", "BUNDLE_MALFORMED");
      reply.code(202).headers(EVENT_STREAM_HEADERS).type(EVENT_STREAM_TYPE);
      return reply.send(Readable.from(events(first.value, received)));

      async function* events(portion: ReceivedPortion, others: AsyncIterable<ReceivedPortion>) {
        let { terminal } = portion;
        let portions = 0;
        try {
          yield receivedEvent(portion, portions++);
          for await (const next of others) {
            ({ terminal } = next);
            yield receivedEvent(next, portions++);
          }
          const { bytes } = await currentPayeeCertificate(terminal, context);
          const end = { portions, ...(await lists()), payeeCertificate: base64url(bytes) };
          yield eventText("end", end satisfies Encoded<typeof UploadEnd>);
        } catch (error) {
          yield problemEvent(error, request);
        }
      }
    },
  );
}

/** Each whole portion begins the time for the next one. */
async function* timed(portions: AsyncIterable<Uint8Array>, chunks: TimedChunks): AsyncGenerator<Uint8Array> {
  for await (const portion of portions) {
    chunks.reset();
    yield portion;
  }
}

function receivedEvent({ records }: ReceivedPortion, portion: number): string {
  const answer: Encoded<typeof PortionAnswer> = { portion, records: records.map(recordText) };
  return eventText("received", answer);
}

function problemEvent(error: unknown, request: FastifyRequest): string {
  const { code, detail } = loggedFailure(error, request);
  return eventText("problem", problemDocument(code, detail));
}
