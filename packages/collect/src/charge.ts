import {
  type Amount,
  IDENTIFIER_BYTES,
  identifier,
  type MessageId,
  type PaymentRequest,
  paymentRequest,
  type Refusal,
  type RequestNonce,
  refusal,
  refuseRequest,
  requestHashOf,
  signMessage,
  writeCode,
} from "@cairn/messages";
import type { Stored } from "./model.ts";
import { type ChargeOutcome, refused } from "./outcomes.ts";
import { type Held, refuseHeldStatusList, refuseHeldTrustList, type TerminalContext } from "./setup.ts";

export type ChargeInput = {
  readonly amount: Amount;
  /** At most 32 bytes of text, shown to the payer. */
  readonly orderReference?: string;
  /** Default: the policy's. At most an hour; never beyond the payee certificate's expiry. */
  readonly validitySeconds?: number;
};

/**
 * Makes a payment request, durable before it is shown. Spec: messages.md "Payment request". What this terminal could
 * not accept anyway (its own lists too old, its store full) is refused before a payer spends anything on it.
 * @throws CollectError NOT_ENROLLED; MessageError for an order reference or validity that no request can carry.
 */
export async function charge(context: TerminalContext, input: ChargeInput): Promise<ChargeOutcome> {
  const { journal, random, policy } = context;
  const held = await context.hold();
  const { payeeCertificate } = held.setup;
  const request = requestOf(input, held, {
    validitySeconds: input.validitySeconds ?? policy.requestValiditySeconds,
    nonce: identifier<RequestNonce>(random.bytes(IDENTIFIER_BYTES.requestNonce), IDENTIFIER_BYTES.requestNonce),
  });
  const against =
    refuseOwnLists(held, policy.whenStale) ??
    (payeeCertificate.content.expiresAt <= held.now ? refusal("PAYEE_CERTIFICATE_EXPIRED") : undefined) ??
    refuseRequest({ payeeCertificate: payeeCertificate.content, request }, held.now) ??
    refuseStored(await journal.stored(), request, held);
  if (against !== undefined) return refused(against);

  const signed = await signMessage(paymentRequest, request, context);
  const requestId = signed.messageId;
  const { payeeCertificateId, issuedAt } = request;
  const requestHash = requestHashOf(requestId);
  await journal.recordRequest({ requestId, requestHash, request: signed.bytes, payeeCertificateId, issuedAt });
  const codeText = writeCode({ type: "request", certificate: payeeCertificate.bytes, message: signed.bytes });
  return { kind: "requested", requestId, request, codeText };
}

/** The code of a request made before, for showing it again; undefined when there is none. */
export async function requestCode(context: TerminalContext, requestId: MessageId): Promise<string | undefined> {
  const record = await context.journal.request(requestId);
  if (record === undefined) return undefined;
  return writeCode({ type: "request", certificate: record.payeeCertificate, message: record.request });
}

function requestOf(
  { amount, orderReference }: ChargeInput,
  { setup, now }: Held,
  own: { readonly validitySeconds: number; readonly nonce: RequestNonce },
): PaymentRequest {
  const { payeeCertificateId, expiresAt } = setup.payeeCertificate.content;
  return {
    payeeCertificateId,
    amountMinor: amount.minor,
    currency: amount.currency,
    nonce: own.nonce,
    issuedAt: now,
    // Receipts are dated while the request is open, and must fall inside the certificate's validity.
    expiresAt: Math.min(now + own.validitySeconds, expiresAt),
    ...(orderReference === undefined ? {} : { orderReference }),
  };
}

function refuseOwnLists({ setup, now }: Held, whenStale: "refuse" | "at-own-risk"): Refusal | undefined {
  const expired = refuseHeldTrustList(setup, now);
  if (expired !== undefined || whenStale === "at-own-risk") return expired;
  return refuseHeldStatusList(setup.statusList.content, setup.payeeCertificate.content.terms, now);
}

function refuseStored(stored: Stored, { amountMinor }: PaymentRequest, { setup }: Held): Refusal | undefined {
  const ceilingMinor = setup.payeeCertificate.content.terms.storedTotalCapMinor;
  return stored.totalMinor + amountMinor > ceilingMinor ? refusal("STORED_TOTAL_REACHED") : undefined;
}
