import assert from "node:assert/strict";
import { decodeMessage, MALFORMED_SENTENCES, openPayment, payment, REFUSAL_SENTENCES, readCode } from "@cairn/messages";
import {
  type Consent,
  consentTo,
  PAY_SENTENCES,
  type Paid,
  type PayRefusal,
  pay,
  type Refused,
  type RequestReview,
  reviewRequest,
  type StoredPayment,
  type WalletPorts,
} from "../src/index.ts";
import { crypto } from "./world.ts";

/** Reviews, agrees and pays, as a person with an app does. */
export async function payCode(ports: WalletPorts, code: string): Promise<Paid | Refused> {
  const review = await reviewRequest(ports, code);
  return review.kind === "refused" ? review : pay(ports, { review, consent: consentTo(review) });
}

export async function mustReview(ports: WalletPorts, code: string): Promise<RequestReview> {
  return expectKind(await reviewRequest(ports, code), "request");
}

export async function mustPay(ports: WalletPorts, code: string): Promise<Paid> {
  return expectKind(await payCode(ports, code), "shown");
}

/** The result when it is of this kind; a failed assertion that names the refusal when not. */
export function expectKind<Result extends { readonly kind: string }, Kind extends Result["kind"]>(
  result: Result,
  kind: Kind,
): Extract<Result, { readonly kind: Kind }> {
  assert.equal(
    result.kind,
    kind,
    JSON.stringify(result, (_, value) => (typeof value === "bigint" ? `${value}` : value)),
  );
  return result as Extract<Result, { readonly kind: Kind }>;
}

export function expectRefusal(result: { readonly kind: string } | Refused, code: PayRefusal["code"]): void {
  assert.ok("refusal" in result, `expected ${code}, not ${result.kind}`);
  assert.equal(result.refusal.code, code, result.refusal.detail ?? "no detail");
  const sentences: Readonly<Record<string, string>> = {
    ...MALFORMED_SENTENCES,
    ...REFUSAL_SENTENCES,
    ...PAY_SENTENCES,
  };
  if (code in sentences) assert.equal(result.refusal.sentence, sentences[code]);
  else assert.match(result.refusal.sentence, /^[A-Z].*\.$/);
}

export const otherConsent = (review: RequestReview, changes: Partial<Consent>): Consent => ({
  ...consentTo(review),
  ...changes,
});

/** The payment in a code, its content and identity. */
export function paymentIn(codeText: string) {
  const code = readCode(codeText);
  return code.type === "payment"
    ? decodeMessage(payment, code.message, crypto)
    : decodeMessage(openPayment, code.message, crypto);
}

export function allPayments({ store }: WalletPorts): Promise<readonly StoredPayment[]> {
  return store.commit({ kind: "all" }, ({ payments }) => ({ result: payments, writes: [] }));
}
