import { type AnyRefusalCode, type Refusal, sentenceFor } from "@cairn/messages";

/**
 * Why a record that was brought in cannot become a payment to settle: a fault of its form, of a signature, or one of
 * these. Such a record says nothing against the payment that it claims to carry: it is kept as evidence, and the same
 * payment in a sound record is settled as if the faulty one had never come.
 */
export const RECORD_SENTENCES = {
  CERTIFICATE_NOT_OURS: "This payment's certificate was not issued here.",
  RECORD_OF_ANOTHER_PAYEE: "This record belongs to another payee. Upload it from one of that payee's terminals.",
  TERMINAL_NOT_OF_PAYEE: "The till that this was paid at is not enrolled here for this payee.",
  RECORD_OF_ANOTHER_ACCOUNT: "This record belongs to another account.",
  VOID_RECORDED: "The cancellation was recorded.",
} as const;

export type RecordCode = keyof typeof RECORD_SENTENCES;
export type RecordFault = {
  readonly code: RecordCode | AnyRefusalCode;
  readonly sentence: string;
  readonly detail?: string;
};

export function recordFault(code: RecordCode): RecordFault {
  return { code, sentence: RECORD_SENTENCES[code] };
}

export function isRecordFault(value: object): value is RecordFault {
  return "code" in value && "sentence" in value;
}

export function faultOf(refusal: Refusal): RecordFault {
  return { ...refusal, sentence: sentenceFor(refusal.code) };
}
