import { CodedError } from "@cairn/cose";
import { type AnyRefusalCode, type Refusal, refusal } from "@cairn/messages";

/**
 * What a wallet turns its own user away for, beside the codes of the protocol. Returned, never thrown. Codes are
 * stable.
 */
export const PAY_SENTENCES = {
  NO_CERTIFICATE: "This device holds no certificate to pay with. Go online once to get one.",
  CONSENT_MISMATCH: "This is not what was agreed to. Look at the request again.",
  PAYMENT_RELEASED: "This payment was given back to you. Ask for a new request.",
  PAYMENT_UNKNOWN: "This device has made no such payment.",
  CERTIFICATE_OF_ANOTHER_DEVICE: "The new certificate belongs to another device.",
  ENROLLED_ELSEWHERE: "This device is already enrolled. Another issuer or key needs a device of its own.",
} as const;

export type PayCode = keyof typeof PAY_SENTENCES;

/** A refusal as a value: code for machines, sentence for people, detail for logs. */
export type PayRefusal = {
  readonly code: PayCode | AnyRefusalCode;
  readonly sentence: string;
  readonly detail?: string;
};

/** How a step turns away; every step's result is this or its own success. */
export type Refused = { readonly kind: "refused"; readonly refusal: PayRefusal };

export function refused(code: PayCode | AnyRefusalCode): Refused {
  return refusedFor(isPayCode(code) ? { code, sentence: PAY_SENTENCES[code] } : refusal(code));
}

export function refusedFor(reason: PayRefusal | Refusal): Refused {
  return { kind: "refused", refusal: reason };
}

export function isPayRefusal(value: object): value is PayRefusal {
  return "code" in value && "sentence" in value;
}

function isPayCode(code: string): code is PayCode {
  return code in PAY_SENTENCES;
}

export type PayErrorCode =
  /** Nothing can be done before enrolment. */
  | "NOT_ENROLLED"
  /** The store belongs to a device with another key: a key and its store must never be mixed. */
  | "WALLET_KEY_DIFFERS"
  /** A validity or limit that is not a whole number of the allowed range. */
  | "PAY_ARGUMENT_RANGE";

/** Misuse by the caller or a mixed-up folder, never a message from outside. */
export class PayError extends CodedError<PayErrorCode> {}
