import {
  type CertificateId,
  type Currency,
  type DeviceId,
  IDENTIFIER_BYTES,
  type KeyId,
  type MessageId,
  type PayeeId,
  type TerminalId,
} from "@cairn/messages";
import { type StaticDecode, type StaticEncode, type TSchema, Type } from "@sinclair/typebox";

/**
 * How values stand in the JSON of the HTTP API, for server and client alike: amounts as text of minor units (JSON
 * numbers lose digits in some readers), bytes as base64url without padding, identifiers as lower-case hexadecimal,
 * times as whole seconds since 1970. The server writes the encoded form; the client decodes it strictly.
 */
export type Decoded<Schema extends TSchema> = StaticDecode<Schema>;
export type Encoded<Schema extends TSchema> = StaticEncode<Schema>;

/** Largest amount: 2^53-1 has sixteen digits; ledger totals may be longer. */
const AMOUNT_PATTERN = "^(0|[1-9][0-9]{0,15})$";
const POSTING_PATTERN = "^(0|-?[1-9][0-9]{0,24})$";

/** What a text stands for, where only the schema's JSON is left to tell: the apps' reader goes by it. */
const wire = (form: "minor" | "bytes") => ({ wire: form });

export const Minor = Type.Transform(
  Type.String({ pattern: AMOUNT_PATTERN, description: "Minor units, as text.", ...wire("minor") }),
)
  .Decode((text) => BigInt(text))
  .Encode((minor) => minor.toString());

/** Of a ledger posting or balance: debit positive, credit negative. */
export const SignedMinor = Type.Transform(
  Type.String({
    pattern: POSTING_PATTERN,
    description: "Minor units, as text; debit positive, credit negative.",
    ...wire("minor"),
  }),
)
  .Decode((text) => BigInt(text))
  .Encode((minor) => minor.toString());

export const Bytes = Type.Transform(
  Type.String({
    pattern: "^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?$",
    description: "Bytes, base64url without padding.",
    ...wire("bytes"),
  }),
)
  .Decode((text) => new Uint8Array(Buffer.from(text, "base64url")))
  .Encode((bytes) => base64url(bytes));

export const base64url = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");

/** Whole seconds since 1970. */
export const Time = Type.Integer({ minimum: 0, description: "Seconds since 1970." });
export const Seconds = Type.Integer({ minimum: 0, maximum: 4_294_967_295, description: "A span in seconds." });
export const Sentence = Type.String({ description: "For people." });
/** Absent values are null in the API, so that every field is always there. */
export const OrNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);

const hexId = <Id extends string>(length: number, description: string) =>
  Type.Unsafe<Id>(Type.String({ pattern: `^[0-9a-f]{${length * 2}}$`, description }));

export const PaymentIdText = hexId<MessageId>(IDENTIFIER_BYTES.messageId, "Message id of a payment.");
export const MessageIdText = hexId<MessageId>(IDENTIFIER_BYTES.messageId, "Message id.");
export const CertificateIdText = hexId<CertificateId>(IDENTIFIER_BYTES.certificateId, "Certificate id.");
export const DeviceIdText = hexId<DeviceId>(IDENTIFIER_BYTES.deviceId, "Device id.");
export const TerminalIdText = hexId<TerminalId>(IDENTIFIER_BYTES.terminalId, "Terminal id.");
export const KeyIdText = hexId<KeyId>(IDENTIFIER_BYTES.keyId, "Key id.");
export const PayeeIdText = Type.Unsafe<PayeeId>(Type.String({ pattern: "^[A-Z0-9-]{1,16}$" }));
export const CurrencyText = Type.Unsafe<Currency>(Type.String({ pattern: "^[A-Z]{3}$" }));
export const AccountText = Type.Integer({ minimum: 1, maximum: 281_474_976_710_655, description: "Account number." });
