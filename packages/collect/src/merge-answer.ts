import type { PaymentAnswer } from "./model.ts";

/**
 * What to remember when the server answers again. Pure. `settled` is never forgotten. `received` says nothing new of a
 * payment that is being judged, while a refused record may have been brought again in a sound form. "Unknown"
 * (undefined) of a payment that was acknowledged means that the server lost it: it is stored again and uploaded again;
 * a refused record, which the server keeps as evidence alone, stays refused.
 */
export function mergeAnswer(
  held: PaymentAnswer | undefined,
  offered: PaymentAnswer | undefined,
): PaymentAnswer | undefined {
  if (held === undefined) return offered;
  if (held.state === "settled") return held;
  if (offered === undefined) return held.state === "refused" ? held : undefined;
  const isJudged = held.state === "pending" || held.state === "held" || held.state === "released";
  if (offered.state === "received" && isJudged) return { ...held, answeredAt: offered.answeredAt };
  return offered;
}
