import { Readable } from "node:stream";
import { Type } from "@sinclair/typebox";
import * as api from "../../api/report-api.ts";
import type { Encoded } from "../../api/wire.ts";
import type { ServerContext } from "../../services/server-context.ts";
import { camt053, statementCsv } from "../../services/statement-documents.ts";
import { plus, type Standing, type Statement, statement } from "../../services/statements.ts";
import { EdgeError, problemDocument, problemOf } from "../problems.ts";
import { EVENT_STREAM_HEADERS, EVENT_STREAM_TYPE, eventText } from "../server-sent-events.ts";
import { numberOf, type OperatorApp, operatorAnswer } from "./routes.ts";

/** It takes as long as the statement is. */
const NO_HANDLER_TIMEOUT_MS = 2_147_483_647;
const LINES_AN_EVENT = 500;
/** Sent at once: lines one by one would cost more than what they say. */
const CHUNK_CHARACTERS = 65_536;
const DOCUMENTS = {
  csv: { type: "text/csv; charset=utf-8", write: statementCsv },
  camt053: { type: "application/xml; charset=utf-8", write: camt053 },
} as const;

/** Statements of any length, sent as they are read. */
export function statementRoute(app: OperatorApp, { store, log }: ServerContext): void {
  app.get(
    "/statements",
    {
      handlerTimeout: NO_HANDLER_TIMEOUT_MS,
      schema: {
        querystring: api.StatementQuery,
        ...operatorAnswer(
          {
            summary:
              "A statement of an account or a payee: server-sent events, or CSV or ISO 20022 camt.053.001.08 as a file.",
            problems: ["ACCOUNT_UNKNOWN", "PAYEE_UNKNOWN"],
          },
          Type.Any({
            description: "Events `statement`, `lines` and `end`, or `problem`. A file that breaks off is none.",
          }),
        ),
        produces: [EVENT_STREAM_TYPE, "text/csv", "application/xml"],
      },
    },
    async ({ query }, reply) => {
      const { account, payeeId, from, to, format } = query;
      if ((account === undefined) === (payeeId === undefined))
        throw new EdgeError("INPUT_INVALID", "either account or payeeId");
      const of = payeeId === undefined ? { account: numberOf(account ?? 0) } : { payeeId };
      const told = await statement(of, { from, to }, store);
      if (format === undefined) {
        reply.headers(EVENT_STREAM_HEADERS).type(EVENT_STREAM_TYPE);
        return reply.send(Readable.from(events(told, log)));
      }
      const { type, write } = DOCUMENTS[format];
      return reply.type(type).send(Readable.from(inChunks(write(told))));
    },
  );
}

async function* events(told: Statement, log: ServerContext["log"]): AsyncGenerator<string> {
  const { of, currency, period } = told;
  const head: Encoded<typeof api.StatementHead> = { of, currency, ...period, opening: standing(told.opening) };
  yield eventText("statement", head);
  try {
    let closing = told.opening;
    for await (const lines of inBatches(told.lines)) {
      closing = lines.reduce(plus, closing);
      const encoded: Encoded<typeof api.StatementLines> = {
        lines: lines.map((line) => ({ ...line, ...standing(line) })),
      };
      yield eventText("lines", encoded);
    }
    const end: Encoded<typeof api.StatementEnd> = { closing: standing(closing) };
    yield eventText("end", end);
  } catch (error) {
    const { code, detail } = problemOf(error);
    if (code === "INTERNAL_FAULT") log.error({ err: error }, "a statement broke off");
    yield eventText("problem", problemDocument(code, detail));
  }
}

async function* inBatches<Line>(lines: AsyncIterable<Line>): AsyncGenerator<readonly Line[]> {
  let batch: Line[] = [];
  for await (const line of lines) {
    if (batch.push(line) < LINES_AN_EVENT) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function* inChunks(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let chunk = "";
  for await (const text of texts) {
    chunk += text;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = "";
  }
  yield chunk;
}

const standing = ({ balanceMinor, creditUsedMinor }: Standing) => ({
  balanceMinor: balanceMinor.toString(),
  creditUsedMinor: creditUsedMinor.toString(),
});
