import {
  CborCursor,
  type CryptoPort,
  checkCbor,
  checkEnd,
  copyOfBytes,
  decodeSign1,
  encodeCbor,
  finishSign1,
  type P256PublicKey,
  prepareSign1,
  publicKeysEqual,
  Scratch,
  SIGNATURE_LENGTH,
  type Sign1,
  type Sign1Form,
  type SignatureVerifier,
  type Signer,
  toBeSigned,
} from "@cairn/cose";
import { MAXIMUM_MESSAGE_BYTES } from "./bounds.ts";
import { type Refusal, refusal } from "./codes.ts";
import { memoryOf } from "./decoded-memory.ts";
import { digestText } from "./digest-text.ts";
import { type Codec, type ContentOf, type Entries, entriesOf, type Fields, readFields, writeFields } from "./fields.ts";
import { fromHex, type HexIdentifier, type MessageId } from "./identifiers.ts";
import { MessageError } from "./message-error.ts";

/**
 * A kind of signed message: what stands in its payload, which key signs it, and the context that is signed with it.
 *
 * Every message is a COSE_Sign1 (RFC 9052 section 4.2) over deterministic CBOR. The context goes into the signature
 * as `external_aad`: it costs no byte on the wire, and a message of one kind or version can never pass for another.
 */
export type MessageKind<Content> = {
  readonly name: string;
  readonly form: Sign1Form;
  readonly maximumBytes: number;
  /** The header `typ` (RFC 9596) where another standard asks for it. */
  readonly type: string | undefined;
  keyIdOf(content: Content): Uint8Array;
  writePayload(content: Content): Uint8Array;
  /** @throws CodedError */
  readContent(sign1: Sign1): Content;
};

/** Decoded and well-formed, but nobody has checked who signed it. Only {@link verifyMessage} turns it into something to act on. */
export type Decoded<Content> = {
  readonly kind: MessageKind<Content>;
  readonly unverified: Content;
  readonly messageId: MessageId;
  readonly bytes: Uint8Array;
  readonly toBeSigned: Uint8Array;
  readonly signature: Uint8Array;
};

declare const verifiedBrand: unique symbol;
/** A message whose signature was verified under the key that its place in the protocol demands. `bytes` are the bytes received. */
export type Verified<Content> = {
  readonly content: Content;
  readonly messageId: MessageId;
  readonly bytes: Uint8Array;
  readonly [verifiedBrand]: true;
};

/** What will be signed: complete and inspectable before any key is touched. `messageId` is already final. */
export type Prepared<Content> = {
  readonly kind: MessageKind<Content>;
  readonly content: Content;
  readonly messageId: MessageId;
  readonly toBeSigned: Uint8Array;
  readonly finish: (signature: Uint8Array) => Uint8Array;
};

/** At most what a COSE_Sign1 adds to payload and protected header: heads, tag, empty map, signature (RFC 9052 section 4.2). */
const FRAME_BYTES = 1 + 1 + 2 + 1 + 5 + 2 + 64;

type KeyIdField<Name extends string, Id extends HexIdentifier> = { readonly name: Name; readonly codec: Codec<Id> };

/**
 * Describes a message kind by its field table. The header `kid` (RFC 9052 section 3.1) is part of the content under
 * the name given. `check` may refuse combinations that no single field can see.
 */
export function defineMessage<Name extends string, Id extends HexIdentifier, const Table extends Fields>(input: {
  name: string;
  keyId: KeyIdField<Name, Id>;
  fields: Table;
  form?: Sign1Form;
  type?: string;
  maximumBytes?: number;
  check?: (content: ContentOf<Table> & { readonly [Key in Name]: Id }) => void;
}): MessageKind<ContentOf<Table> & { readonly [Key in Name]: Id }> {
  type Content = ContentOf<Table> & { readonly [Key in Name]: Id };
  const entries = entriesOf(input.fields);
  return {
    name: input.name,
    form: input.form ?? { context: `cairn/1/${input.name}` },
    maximumBytes: input.maximumBytes ?? MAXIMUM_MESSAGE_BYTES,
    type: input.type,
    keyIdOf: (content) => input.keyId.codec.write(content[input.keyId.name], input.keyId.name) as Uint8Array,
    writePayload: (content) => {
      input.check?.(content);
      return encodeCbor(writeFields(entries, content));
    },
    readContent: (sign1) => {
      const content = readParts(input.keyId, entries, sign1) as Content;
      input.check?.(content);
      return content;
    },
  };
}

function readParts(
  keyId: KeyIdField<string, HexIdentifier>,
  fields: Entries,
  { bytes, keyIdAt, protectedEnd, payloadStart, payloadEnd }: Sign1,
): Record<string, unknown> {
  const content: Record<string, unknown> = {};
  try {
    const cursor = new CborCursor(bytes, keyIdAt, protectedEnd);
    content[keyId.name] = keyId.codec.read(cursor, keyId.name);
    cursor.position = payloadStart;
    cursor.end = payloadEnd;
    readFields(fields, cursor, content);
    checkEnd(cursor);
  } catch (error) {
    // What is no CBOR at all is said first, wherever it stands.
    checkCbor(bytes, payloadStart, payloadEnd);
    throw error;
  }
  return content;
}

/** Fixes what will be signed. @throws CodedError when the content breaks the message's own rules or bounds. */
export function prepareMessage<Content>(
  kind: MessageKind<Content>,
  content: Content,
  crypto: CryptoPort,
): Prepared<Content> {
  const keyId = kind.keyIdOf(content);
  const headers = kind.type === undefined ? { keyId } : { keyId, type: kind.type };
  const payload = kind.writePayload(content);
  const prepared = prepareSign1({ headers, payload, form: kind.form });
  if (payload.length + prepared.protectedBytes.length + FRAME_BYTES > kind.maximumBytes)
    throw new MessageError("MESSAGE_TOO_LARGE", `${kind.name}: ${payload.length} bytes of payload`);
  return {
    kind,
    content,
    messageId: messageIdOf(prepared.toBeSigned, crypto),
    toBeSigned: prepared.toBeSigned,
    finish: (signature) => finishSign1(prepared, signature),
  };
}

/** Signs what was prepared. What we signed with our own key counts as verified. */
export async function signPrepared<Content>(prepared: Prepared<Content>, signer: Signer): Promise<Verified<Content>> {
  const bytes = prepared.finish(await signer.sign(prepared.toBeSigned));
  return verified({ content: prepared.content, messageId: prepared.messageId, bytes });
}

export async function signMessage<Content>(
  kind: MessageKind<Content>,
  content: Content,
  by: { readonly signer: Signer; readonly crypto: CryptoPort },
): Promise<Verified<Content>> {
  return await signPrepared(prepareMessage(kind, content, by.crypto), by.signer);
}

/** Signs what was decoded from one's own store, where it waited under another signature, as under the zeros of a draft. */
export async function signDecoded<Content>(decoded: Decoded<Content>, signer: Signer): Promise<Verified<Content>> {
  const bytes = copyOfBytes(decoded.bytes);
  // A COSE_Sign1 ends with its signature.
  bytes.set(await signer.sign(decoded.toBeSigned), bytes.length - SIGNATURE_LENGTH);
  return verified({ content: decoded.unverified, messageId: decoded.messageId, bytes });
}

/**
 * Strict decoding: bytes become a checked type, once.
 * @param bytes Kept, not copied, and verified later: nobody may write into them any more.
 * @throws CodedError (CborError, CoseError, MessageError) for anything but one well-formed message of this kind.
 */
export function decodeMessage<Content>(
  kind: MessageKind<Content>,
  bytes: Uint8Array,
  crypto: CryptoPort,
): Decoded<Content> {
  return decode(kind, bytes, crypto);
}

function decode<Content>(kind: MessageKind<Content>, bytes: Uint8Array, crypto: CryptoPort): DecodedMessage<Content> {
  const memory = memoryOf(crypto);
  const known = memory?.get(kind, bytes);
  if (known instanceof DecodedMessage) return known as DecodedMessage<Content>;
  if (bytes.length > kind.maximumBytes)
    throw new MessageError("MESSAGE_TOO_LARGE", `${kind.name}: ${bytes.length} bytes`);
  const sign1 = decodeSign1(bytes, kind.form);
  if (sign1.keyIdAt < 0) throw new MessageError("MESSAGE_FIELD_MISSING", "kid");
  if (sign1.type !== kind.type) throw new MessageError("MESSAGE_FIELD_INVALID", "typ");
  const unverified = kind.readContent(sign1);
  const decoded = new DecodedMessage({ kind, unverified, bytes, sign1, crypto });
  memory?.add(decoded);
  return decoded;
}

/**
 * Its id is worked out when somebody asks: whoever only looks a message through has no use for the hash. From then on
 * the parts are not kept, so that what waits decoded takes little memory.
 */
class DecodedMessage<Content> implements Decoded<Content> {
  readonly kind: MessageKind<Content>;
  readonly unverified: Content;
  readonly bytes: Uint8Array;
  readonly #crypto: CryptoPort;
  #sign1: Sign1 | undefined;
  #messageId: MessageId | undefined;
  #restored: Verified<Content> | undefined;
  #verified: { readonly key: P256PublicKey; readonly message: Verified<Content> } | undefined;

  constructor(parts: {
    readonly kind: MessageKind<Content>;
    readonly unverified: Content;
    readonly bytes: Uint8Array;
    readonly sign1: Sign1;
    readonly crypto: CryptoPort;
  }) {
    this.kind = parts.kind;
    this.unverified = parts.unverified;
    this.bytes = parts.bytes;
    this.#sign1 = parts.sign1;
    this.#crypto = parts.crypto;
  }

  get signature(): Uint8Array {
    // A COSE_Sign1 ends with its signature.
    return this.bytes.subarray(-SIGNATURE_LENGTH);
  }

  get toBeSigned(): Uint8Array {
    return this.#signed();
  }

  get messageId(): MessageId {
    this.#messageId ??= messageIdOf(this.#signed(SCRATCH), this.#crypto);
    this.#sign1 = undefined;
    return this.#messageId;
  }

  /** What was verified under this key before: whoever remembers what it decoded meets the same certificates and lists again. */
  verifiedUnder(key: P256PublicKey): Verified<Content> | undefined {
    const known = this.#verified;
    return known !== undefined && publicKeysEqual(known.key, key) ? known.message : undefined;
  }

  keepVerified(key: P256PublicKey, message: Verified<Content>): void {
    this.#verified = { key, message };
  }

  /** One and the same message, however often it is restored while it is remembered as decoded. */
  restored(bytes: Uint8Array): Verified<Content> {
    this.#restored ??= verified({ content: this.unverified, messageId: this.messageId, bytes });
    return this.#restored;
  }

  #signed(scratch?: Scratch): Uint8Array {
    const { form } = this.kind;
    return toBeSigned(this.#sign1 ?? decodeSign1(this.bytes, form), form, scratch);
  }
}

/** What is hashed and not kept: a buffer for each message would cost as much as its hash. */
const SCRATCH = new Scratch(new Uint8Array(1024));

export function isRefusal(value: object): value is Refusal {
  return "code" in value && "sentence" in value;
}

/** Verifies under one known key; a bad signature is a refusal here, not an exception. */
export async function verifyUnder<Content>(
  decoded: Decoded<Content>,
  key: P256PublicKey,
  crypto: CryptoPort,
): Promise<Verified<Content> | Refusal> {
  const own = decoded instanceof DecodedMessage ? (decoded as DecodedMessage<Content>) : undefined;
  const known = own?.verifiedUnder(key);
  if (known !== undefined) return known;
  if (!(await crypto.verifyEs256(key, decoded.toBeSigned, decoded.signature)))
    return refusal("SIGNATURE_INVALID", decoded.kind.name);
  const message = verified({ content: decoded.unverified, messageId: decoded.messageId, bytes: decoded.bytes });
  own?.keepVerified(key, message);
  return message;
}

/** As `verifyUnder`. @throws MessageError SIGNATURE_INVALID */
export async function verifyMessage<Content>(
  decoded: Decoded<Content>,
  by: { readonly key: P256PublicKey; readonly crypto: CryptoPort },
): Promise<Verified<Content>> {
  const outcome = await verifyUnder(decoded, by.key, by.crypto);
  if (isRefusal(outcome)) throw new MessageError("SIGNATURE_INVALID", decoded.kind.name);
  return outcome;
}

/** Many at once, each under the key that its place in the protocol demands: undefined for those that are not valid. */
export async function verifyMessages<Content>(
  asked: readonly {
    readonly decoded: Decoded<Content>;
    readonly key: P256PublicKey;
    readonly hint: Uint8Array | undefined;
  }[],
  verify: SignatureVerifier,
): Promise<readonly (Verified<Content> | undefined)[]> {
  const areValid = await verify(
    asked.map(({ decoded, key, hint }) =>
      hint === undefined
        ? { publicKey: key, message: decoded.toBeSigned, signature: decoded.signature }
        : // A message's id is the digest that its signature signs.
          { publicKey: key, digest: fromHex(decoded.messageId), signature: decoded.signature, hint },
    ),
  );
  return asked.map(({ decoded: { unverified, messageId, bytes } }, index) =>
    areValid[index] === true ? verified({ content: unverified, messageId, bytes }) : undefined,
  );
}

/**
 * Takes back a message that this program itself verified or signed before it stored the bytes.
 * Only for bytes out of one's own store: the signature is not looked at again.
 */
export function restoreVerified<Content>(
  kind: MessageKind<Content>,
  bytes: Uint8Array,
  crypto: CryptoPort,
): Verified<Content> {
  return decode(kind, bytes, crypto).restored(bytes);
}

/** The one place where the brand is given. */
function verified<Content>(message: { content: Content; messageId: MessageId; bytes: Uint8Array }): Verified<Content> {
  return message as Verified<Content>;
}

function messageIdOf(signed: Uint8Array, crypto: CryptoPort): MessageId {
  return digestText(signed, crypto) as MessageId;
}
