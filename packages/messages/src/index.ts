export * from "./amount.ts";
export { decodeBase45, encodeBase45 } from "./base45.ts";
export * from "./bounds.ts";
export * from "./closing.ts";
export { CODE_TYPES, type Code, type CodeType, expectCode, readCode, writeCode } from "./code-text.ts";
export * from "./codes.ts";
export { DecodedMemory, rememberDecoded } from "./decoded-memory.ts";
export { digestText } from "./digest-text.ts";
export * from "./identifiers.ts";
export { LABEL } from "./labels.ts";
export {
  type Decoded,
  decodeMessage,
  isRefusal,
  type MessageKind,
  type Prepared,
  prepareMessage,
  restoreVerified,
  signDecoded,
  signMessage,
  signPrepared,
  type Verified,
  verifyMessage,
  verifyMessages,
  verifyUnder,
} from "./message.ts";
export { MessageError, refusalFromError } from "./message-error.ts";
export * from "./open-payment.ts";
export * from "./payee-certificate.ts";
export * from "./payee-statements.ts";
export { type ChainLink, type Payment, payment } from "./payment.ts";
export * from "./payment-request.ts";
export * from "./records.ts";
export * from "./rules.ts";
export { sameBytes } from "./same-bytes.ts";
export {
  type CallPurpose,
  followingNonce,
  readSignedCall,
  type SignedCall,
  signedCall,
  writeSignedCall,
} from "./signed-call.ts";
export * from "./status-list.ts";
export * from "./trust-list.ts";
export * from "./user-certificate.ts";
export * from "./verify.ts";
