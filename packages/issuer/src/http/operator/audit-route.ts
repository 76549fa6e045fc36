import { PassThrough } from "node:stream";
import { Type } from "@sinclair/typebox";
import * as api from "../../api/operator-api.ts";
import type { Encoded } from "../../api/wire.ts";
import { auditBooks } from "../../services/audit.ts";
import { entrySeal } from "../../services/entry-seal.ts";
import type { ServerContext } from "../../services/server-context.ts";
import { VerificationPool } from "../../settlement/verification-pool.ts";
import { problemDocument, problemOf } from "../problems.ts";
import { EVENT_STREAM_HEADERS, EVENT_STREAM_TYPE, eventText } from "../server-sent-events.ts";
import { type OperatorApp, operatorAnswer } from "./routes.ts";

/** It takes as long as the books are: what shows that it lives is told, instead of a bound. */
const NO_HANDLER_TIMEOUT_MS = 2_147_483_647;
const BEAT_MS = 5_000;

/** The audit, told as it goes on. It ends when nobody listens any more. */
export function auditRoute(app: OperatorApp, context: ServerContext): void {
  app.post(
    "/books/missing-heads",
    {
      schema: {
        body: api.LedgerHeads,
        ...operatorAnswer(
          { summary: "Which of the newest entries that an earlier audit told are not there any more." },
          api.LedgerHeads,
        ),
      },
    },
    async ({ body }) => ({ heads: [...(await context.store.missingHeads(body.heads))] }),
  );

  app.get(
    "/books",
    {
      handlerTimeout: NO_HANDLER_TIMEOUT_MS,
      schema: {
        querystring: api.BooksQuery,
        ...operatorAnswer(
          {
            summary:
              "Recomputes the books from their entries, and holds what decides about money against what was signed: server-sent events.",
          },
          Type.Any({ description: "Events `progress`, and at the end `end` with the result, or `problem`." }),
        ),
        produces: [EVENT_STREAM_TYPE],
      },
    },
    async ({ query }, reply) => {
      const stream = new PassThrough();
      const gone = new AbortController();
      stream.on("error", () => undefined).on("close", () => gone.abort());
      reply.raw.once("close", () => stream.destroy());
      void tell(stream, query.signatures === "true", gone.signal, context);
      reply.headers(EVENT_STREAM_HEADERS).type(EVENT_STREAM_TYPE);
      return reply.send(stream);
    },
  );
}

async function tell(
  stream: PassThrough,
  withSignatures: boolean,
  signal: AbortSignal,
  { store, crypto, trustLists, sealing, nonceSecret, log }: ServerContext,
): Promise<void> {
  const write = (text: string): void => {
    if (stream.writable) stream.write(text);
  };
  const beat = setInterval(() => write(": reading\n\n"), BEAT_MS);
  write(": begun\n\n");
  const pool = withSignatures ? new VerificationPool() : undefined;
  try {
    const anchors = pool === undefined ? undefined : trustLists.current().settlementAnchors;
    const from = sealing?.sealedFrom();
    const { signatures, sealed, heads, faults, ...read } = await auditBooks(store, crypto, {
      keys: pool === undefined || anchors === undefined ? undefined : { anchors, checker: pool },
      seals: from && { seal: entrySeal({ crypto, nonceSecret }), from },
      progress: (line) => write(eventText("progress", { line })),
      signal,
    });
    const answer: Encoded<typeof api.BooksAnswer> = {
      ...read,
      signatures: signatures ?? null,
      sealed: sealed ?? null,
      heads: [...heads],
      faults: [...faults],
    };
    write(eventText("end", answer));
  } catch (error) {
    if (!signal.aborted) log.error({ err: error }, "an audit failed");
    const { code, detail } = problemOf(error);
    write(eventText("problem", problemDocument(code, detail)));
  } finally {
    clearInterval(beat);
    stream.end();
    await pool?.close();
  }
}
