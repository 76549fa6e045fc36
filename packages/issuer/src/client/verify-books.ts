import { Problem } from "../api/device-api.ts";
import * as api from "../api/operator-api.ts";
import { clientFault, problemAsError } from "./client-error.ts";
import { decodeEvent, readEvents } from "./read-events.ts";
import type { Transport } from "./transport.ts";

export type AuditOptions = {
  /** Verifies signatures too. Default: no. */
  readonly signatures?: boolean;
  /** Told how far it is. */
  readonly progress?: (line: string) => void;
};

/** A server on the embedded database says nothing while it reads its entries. */
const SILENCE_MS = 3_600_000;

/** The audit of a running issuer, which takes as long as its books are. @throws ClientError */
export async function verifyBooks(
  transport: Transport,
  { signatures = false, progress = () => undefined }: AuditOptions,
): Promise<api.BooksAnswer> {
  const over = new AbortController();
  const query = signatures ? { signatures: "true" } : {};
  try {
    const events = await transport.stream({ method: "GET", path: "/v1/operator/books", query }, over.signal);
    for await (const { event, data } of readEvents(events, {
      silenceMs: SILENCE_MS,
      onSilence: () => over.abort(),
    })) {
      if (event === "progress") progress(decodeEvent(api.AuditProgress, data).line);
      else if (event === "end") return decodeEvent(api.BooksAnswer, data);
      else if (event === "problem") throw problemAsError(decodeEvent(Problem, data));
    }
    throw clientFault("ISSUER_UNREACHABLE", new Error("The answer broke off."));
  } finally {
    over.abort();
  }
}
