import type { PayeeId } from "@cairn/messages";
import { Problem } from "../api/device-api.ts";
import * as api from "../api/report-api.ts";
import type { Decoded } from "../api/wire.ts";
import { clientFault, problemAsError } from "./client-error.ts";
import type { OperatorClientOptions } from "./operator-client.ts";
import { decodeEvent, readEvents } from "./read-events.ts";
import { type Call, Transport } from "./transport.ts";

type StatementOf = { readonly account: number } | { readonly payeeId: PayeeId };
type Period = { readonly from: number; readonly to: number };

/** What opens and closes a big payee's statement is added up before the first word. */
const SILENCE_MS = 3_600_000;

/** Statements and the reconciliation. Times are seconds since 1970. All methods throw `ClientError`. */
export class ReportClient {
  readonly #transport: Transport;

  constructor(options: OperatorClientOptions) {
    this.#transport = new Transport(options);
  }

  /** All of its lines, however many: a file of many may be read as it comes instead. */
  async statement(of: StatementOf, period: Period): Promise<api.StatementAnswer> {
    const over = new AbortController();
    const lines: api.StatementAnswer["lines"] = [];
    let head: Decoded<typeof api.StatementHead> | undefined;
    try {
      const stream = await this.#transport.stream(callFor(of, period), over.signal);
      for await (const { event, data } of readEvents(stream, {
        silenceMs: SILENCE_MS,
        onSilence: () => over.abort(),
      })) {
        if (event === "statement") head = decodeEvent(api.StatementHead, data);
        else if (event === "lines") lines.push(...decodeEvent(api.StatementLines, data).lines);
        else if (event === "problem") throw problemAsError(decodeEvent(Problem, data));
        else if (event === "end" && head !== undefined)
          return { ...head, lines, ...decodeEvent(api.StatementEnd, data) };
      }
      throw clientFault("ISSUER_UNREACHABLE", new Error("The answer broke off."));
    } finally {
      over.abort();
    }
  }

  /** As a file, in its bytes as they come. One that breaks off throws while it is read. */
  statementFile(
    of: StatementOf,
    period: Period,
    format: "csv" | "camt053",
    signal: AbortSignal = new AbortController().signal,
  ): Promise<ReadableStream<Uint8Array>> {
    const { query, ...call } = callFor(of, period);
    return this.#transport.stream({ ...call, query: { ...query, format } }, signal);
  }

  reconciliation({ from, to }: Period): Promise<api.ReconciliationAnswer> {
    const query = { from: from.toString(), to: to.toString() };
    return this.#transport.json(
      { method: "GET", path: "/v1/operator/reconciliation", query },
      api.ReconciliationAnswer,
    );
  }
}

function callFor(of: StatementOf, { from, to }: Period): Call & { readonly query: NonNullable<Call["query"]> } {
  const about = "account" in of ? { account: of.account.toString() } : of;
  const query = { ...about, from: from.toString(), to: to.toString() };
  return { method: "GET", path: "/v1/operator/statements", query };
}
