import type { AcceptanceOutcome } from "@cairn/collect";

export type VerdictKind = "accepted" | "refused" | "repeated";

/** A replay is told apart from a refusal: the money of that sale is safe, only nothing more may go out for it. */
export function verdictOf(outcome: AcceptanceOutcome): VerdictKind {
  if (outcome.kind === "accepted") return "accepted";
  return outcome.earlier === undefined ? "refused" : "repeated";
}
