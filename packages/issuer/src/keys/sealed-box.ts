import { createCipheriv, createDecipheriv, scrypt } from "node:crypto";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { base64url } from "../api/wire.ts";
import type { Random } from "../ports.ts";
import { KeyFileError } from "./key-file-error.ts";

/**
 * Text under a passphrase, as a JSON document that says how it was made: scrypt (RFC 7914) makes the key, AES-256-GCM
 * seals. Everything but the sealed content is authenticated with it.
 */
const FORMAT = "cairn-sealed";
const VERSION = 1;
/** 32 MB and about a tenth of a second for each guess (RFC 7914 section 2: N, r, p). */
const SCRYPT = { n: 32_768, r: 8, p: 1 } as const;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const KEY_BYTES = 32;
export const MINIMUM_PASSPHRASE_LENGTH = 8;

const Kdf = Type.Object(
  {
    name: Type.Literal("scrypt"),
    // Upper bounds: a file from elsewhere must not make the server take all memory.
    n: Type.Integer({ minimum: 16_384, maximum: 1_048_576 }),
    r: Type.Integer({ minimum: 8, maximum: 16 }),
    p: Type.Integer({ minimum: 1, maximum: 4 }),
    salt: Type.String(),
  },
  { additionalProperties: false },
);
const Sealed = Type.Object(
  {
    format: Type.Literal(FORMAT),
    version: Type.Literal(VERSION),
    kdf: Kdf,
    cipher: Type.Object({ name: Type.Literal("aes-256-gcm"), nonce: Type.String(), tag: Type.String() }),
    content: Type.String(),
  },
  { additionalProperties: false },
);
type Sealed = Static<typeof Sealed>;

/** @throws KeyFileError PASSPHRASE_TOO_SHORT */
export async function seal(content: string, passphrase: string, random: Random): Promise<string> {
  if (passphrase.length < MINIMUM_PASSPHRASE_LENGTH)
    throw new KeyFileError(
      "PASSPHRASE_TOO_SHORT",
      `A passphrase has at least ${MINIMUM_PASSPHRASE_LENGTH} characters.`,
    );
  const kdf: Sealed["kdf"] = { name: "scrypt", ...SCRYPT, salt: base64url(random.bytes(SALT_BYTES)) };
  const nonce = random.bytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", await deriveKey(passphrase, kdf), nonce);
  cipher.setAAD(authenticated(kdf));
  const sealed = Buffer.concat([cipher.update(content, "utf8"), cipher.final()]);
  const document: Sealed = {
    format: FORMAT,
    version: VERSION,
    kdf,
    cipher: { name: "aes-256-gcm", nonce: base64url(nonce), tag: base64url(cipher.getAuthTag()) },
    content: base64url(sealed),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** @throws KeyFileError KEY_FILE_MALFORMED, KEY_FILE_VERSION_UNKNOWN, KEY_FILE_PASSPHRASE_WRONG */
export async function unseal(text: string, passphrase: string): Promise<string> {
  const { kdf, cipher, content } = readDocument(text);
  try {
    const key = await deriveKey(passphrase, kdf);
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(cipher.nonce, "base64url"), {
      authTagLength: 16,
    });
    decipher.setAAD(authenticated(kdf));
    decipher.setAuthTag(Buffer.from(cipher.tag, "base64url"));
    return Buffer.concat([decipher.update(Buffer.from(content, "base64url")), decipher.final()]).toString("utf8");
  } catch (cause) {
    throw new KeyFileError("KEY_FILE_PASSPHRASE_WRONG", "The passphrase is wrong, or the key file was altered.", {
      cause,
    });
  }
}

function readDocument(text: string): Sealed {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new KeyFileError("KEY_FILE_MALFORMED", "This is not a key file.", { cause });
  }
  if (Value.Check(Sealed, document)) return document;
  const version = Value.Check(Type.Object({ format: Type.Literal(FORMAT), version: Type.Integer() }), document);
  if (version && !Value.Check(Type.Object({ version: Type.Literal(VERSION) }), document))
    throw new KeyFileError("KEY_FILE_VERSION_UNKNOWN", "This key file was written by a newer version.");
  throw new KeyFileError("KEY_FILE_MALFORMED", "This is not a key file.");
}

function authenticated(kdf: Sealed["kdf"]): Buffer {
  return Buffer.from(JSON.stringify([FORMAT, VERSION, kdf.name, kdf.n, kdf.r, kdf.p, kdf.salt]), "utf8");
}

function deriveKey(passphrase: string, kdf: Sealed["kdf"]): Promise<Buffer> {
  const { n, r, p } = kdf;
  // Node refuses to use more memory than it is told to; 128 N r bytes are needed, and a little more.
  const options = { N: n, r, p, maxmem: 256 * n * r };
  return new Promise((resolve, reject) => {
    const salt = Buffer.from(kdf.salt, "base64url");
    scrypt(passphrase.normalize("NFKC"), salt, KEY_BYTES, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
