import { type Refusal, refusal } from "@cairn/messages";
import type { Decision } from "./journal.ts";
import type { RequestRecord } from "./model.ts";

export type VoidDecision =
  | { readonly kind: "voided"; readonly request: RequestRecord; readonly voidedAt: number }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Whether a request may be given up: never once it is paid. Voiding twice is voiding once. Pure. */
export function decideVoid(
  request: RequestRecord | undefined,
  now: number,
): Decision<VoidDecision, { readonly voidedAt: number }> {
  if (request === undefined) return { result: { kind: "refused", refusal: refusal("REQUEST_UNKNOWN") } };
  if (request.paidBy !== undefined) return { result: { kind: "refused", refusal: refusal("REQUEST_ALREADY_PAID") } };
  if (request.voidedAt !== undefined) return { result: { kind: "voided", request, voidedAt: request.voidedAt } };
  return { result: { kind: "voided", request, voidedAt: now }, write: { voidedAt: now } };
}
