import { CodedError } from "./coded-error.ts";

export type CoseCode =
  /** Deterministic CBOR, but not the structure that COSE asks for. */
  | "COSE_MALFORMED"
  /** The protected header names no algorithm, or another than ES256. */
  | "COSE_ALGORITHM"
  /** A header that is not supported, of the wrong type, or unprotected. */
  | "COSE_HEADER"
  /** Not a P-256 public key in the compressed form, or a point off the curve. */
  | "COSE_KEY_INVALID";

/** Bytes or a value that are not what COSE asks for. Faults of the CBOR underneath come as `CborError`. */
export class CoseError extends CodedError<CoseCode> {}
