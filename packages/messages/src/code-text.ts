import { newBytes, splitCborSequence } from "@cairn/cose";
import { decodeBase45, encodeBase45 } from "./base45.ts";
import { MAXIMUM_MESSAGE_BYTES } from "./bounds.ts";
import { MessageError } from "./message-error.ts";

/**
 * What passes between two screens: a signed message behind the certificate that its key stands in, as one CBOR
 * sequence (RFC 8742), written in characters that QR packs tightly. Spec: messages.md "Codes".
 *
 *     CAIRN:1P<base45>      scheme, version, type, content
 */
export const CODE_TYPES = {
  /** payee certificate, payment request */
  request: "R",
  /** user certificate, payment */
  payment: "P",
  /** user certificate, open payment */
  "open-payment": "O",
  /** payee certificate, receipt */
  receipt: "T",
  /** payee certificate, void */
  void: "V",
} as const;

export type CodeType = keyof typeof CODE_TYPES;
/** The two encoded messages of a code: the certificate first. Not yet decoded as messages. */
export type Code = { readonly type: CodeType; readonly certificate: Uint8Array; readonly message: Uint8Array };

const SCHEME = "CAIRN:";
const VERSION = "1";

/** Text for a QR code, a chat message or a file. Only characters of QR's alphanumeric mode. */
export function writeCode(code: Code): string {
  return `${SCHEME}${VERSION}${CODE_TYPES[code.type]}${encodeBase45(joinPair(code))}`;
}

/** @throws CodedError (MessageError CODE_..., CborError) on anything that {@link writeCode} could not have written. */
export function readCode(text: string): Code {
  const trimmed = text.trim();
  if (!trimmed.startsWith(SCHEME)) throw new MessageError("CODE_PREFIX_UNKNOWN");
  const version = trimmed.charAt(SCHEME.length);
  if (version !== VERSION) throw new MessageError("CODE_VERSION_UNKNOWN", version);
  const letter = trimmed.charAt(SCHEME.length + 1);
  const type = codeTypeOf(letter);
  const encoded = trimmed.slice(SCHEME.length + 2);
  // Two messages at three characters for two bytes; decoding more would only waste time.
  if (encoded.length > 3 * MAXIMUM_MESSAGE_BYTES) throw new MessageError("MESSAGE_TOO_LARGE", "code");
  return { type, ...splitPair(decodeBase45(encoded)) };
}

/** @throws MessageError CODE_TYPE_UNEXPECTED when a genuine code of another type was scanned. */
export function expectCode(code: Code, ...types: readonly CodeType[]): Code {
  if (!types.includes(code.type))
    throw new MessageError("CODE_TYPE_UNEXPECTED", `${code.type} instead of ${types.join(" or ")}`);
  return code;
}

const TYPE_OF_LETTER: ReadonlyMap<string, CodeType> = new Map(
  Object.entries(CODE_TYPES).map(([type, letter]) => [letter, type as CodeType]),
);

function codeTypeOf(letter: string): CodeType {
  const type = TYPE_OF_LETTER.get(letter);
  if (type === undefined) throw new MessageError("CODE_TYPE_UNKNOWN", letter);
  return type;
}

function joinPair(pair: { readonly certificate: Uint8Array; readonly message: Uint8Array }): Uint8Array {
  const joined = newBytes(pair.certificate.length + pair.message.length);
  joined.set(pair.certificate);
  joined.set(pair.message, pair.certificate.length);
  return joined;
}

function splitPair(bytes: Uint8Array): { certificate: Uint8Array; message: Uint8Array } {
  const items = [...splitCborSequence(bytes)];
  const [certificate, message] = items;
  if (certificate === undefined || message === undefined || items.length !== 2) {
    throw new MessageError("BUNDLE_MALFORMED", `${items.length} messages instead of 2`);
  }
  return { certificate, message };
}
