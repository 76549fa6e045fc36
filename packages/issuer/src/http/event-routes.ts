import { PassThrough } from "node:stream";
import { Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import { EventsQuery, type SyncAnswer } from "../api/device-api.ts";
import type { Encoded } from "../api/wire.ts";
import { deviceCaller } from "../services/callers.ts";
import type { Listener } from "../services/push-channel.ts";
import type { ServerContext } from "../services/server-context.ts";
import { openCall } from "../services/signed-calls.ts";
import { bodyOf } from "./raw-body.ts";
import { EVENT_STREAM_HEADERS, EVENT_STREAM_TYPE, eventText } from "./server-sent-events.ts";
import { CALL_PROBLEMS, signedCall } from "./signed-call-schema.ts";
import { holdsOf, syncAnswerText } from "./sync-answer.ts";
import type { TypeBoxProvider } from "./typebox.ts";

type Lists = () => Promise<Pick<Encoded<typeof SyncAnswer>, "trustList" | "statusList">>;

/** A listener that reads so slowly is cut off; it reconnects and is told again what it does not have. */
const MAXIMUM_UNREAD_BYTES = 1_048_576;
/** Connections stay open: the limit on how long a handler may take is not for them. */
const NO_HANDLER_TIMEOUT_MS = 2_147_483_647;

/**
 * The push channel: server-sent events (WHATWG HTML, section 9.2) over a signed call, as every call of a device. Each
 * event is named `sync` and carries what a sync would have answered; its id is the certificate's, so that
 * `Last-Event-ID` says after a reconnection what arrived.
 */
export function eventRoutes(plain: FastifyInstance, context: ServerContext, lists: Lists): void {
  const app = plain.withTypeProvider<TypeBoxProvider>();
  const { push, log } = context;
  const open = new Set<PassThrough>();
  const beat = setInterval(() => {
    for (const stream of open) stream.write(": beat\n\n");
  }, context.pushHeartbeatMs);
  beat.unref();
  // Before the server waits for its connections to end.
  app.addHook("preClose", async () => {
    clearInterval(beat);
    await push.close();
  });

  app.post(
    "/v1/events",
    {
      handlerTimeout: NO_HANDLER_TIMEOUT_MS,
      schema: {
        ...signedCall(
          {
            summary: "Tells a wallet of certificates as they come, without being asked: server-sent events.",
            problems: [...CALL_PROBLEMS, "PUSH_FULL"],
          },
          Type.Any({ description: "Events named sync; their data is the answer to a sync." }),
        ),
        produces: [EVENT_STREAM_TYPE],
        querystring: EventsQuery,
      },
    },
    async (request, reply) => {
      const device = await deviceCaller(openCall("events", bodyOf(request), context), context);
      const last = request.headers["last-event-id"];
      const holds = new Set([...holdsOf(request.query.holds), ...holdsOf(typeof last === "string" ? last : undefined)]);
      const stream = new PassThrough();
      const listener: Listener = {
        device,
        holds,
        tell: (result) => {
          // Lists come after the decision, so that they name what it withdrew.
          const told = lists().then((both) => write(stream, syncAnswerText(result, both)));
          told.catch((error: unknown) => log.error({ err: error }, "an event could not be sent"));
        },
        end: () => void stream.end(),
      };
      stream.on("close", () => {
        open.delete(stream);
        push.leave(listener);
      });
      stream.on("error", () => undefined);
      request.raw.on("close", () => {
        if (reply.raw.destroyed) stream.destroy();
      });
      open.add(stream);
      stream.write(": open\n\n");
      try {
        push.listen(listener);
      } catch (error) {
        stream.destroy();
        throw error;
      }
      reply.headers(EVENT_STREAM_HEADERS).type(EVENT_STREAM_TYPE);
      return reply.send(stream);
    },
  );
}

function write(stream: PassThrough, answer: Encoded<typeof SyncAnswer>): void {
  if (!stream.writable) return;
  stream.write(eventText("sync", answer, answer.certificateId ?? undefined));
  if (stream.writableLength > MAXIMUM_UNREAD_BYTES) stream.destroy();
}
