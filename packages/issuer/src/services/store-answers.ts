import { setTimeout } from "node:timers/promises";
import type { TerminalId } from "@cairn/messages";
import type { IssuerStore } from "@cairn/stores";

/** Whoever asks whether a server is ready waits no longer, and then sends its callers elsewhere. */
const PATIENCE_MS = 2_000;
/** No key has this thumbprint. */
const NOBODY = "0000000000000000" as TerminalId;

/** Whether the database answers a question that costs it nothing. */
export async function storeAnswers(store: Pick<IssuerStore, "terminal">): Promise<boolean> {
  const answered = store.terminal(NOBODY).then(
    () => true,
    () => false,
  );
  const patience = new AbortController();
  const silence = setTimeout(PATIENCE_MS, false, { signal: patience.signal }).catch(() => false);
  try {
    return await Promise.race([answered, silence]);
  } finally {
    patience.abort();
  }
}
