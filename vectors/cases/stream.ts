import { encodeCbor, publicKeyToCbor } from "@cairn/cose";
import {
  type CallPurpose,
  deviceIdOf,
  encodeUploadRecord,
  followingNonce,
  readSignedCall,
  type ServerNonce,
  writeSignedCall,
} from "@cairn/messages";
import { type Case, hex, type JsonObject } from "../case.ts";
import { type TestKey, testKey } from "../keys.ts";
import { crypto, id, KINDS, NOW, payee, request, terminal } from "../world.ts";

/** A terminal's upload as one stream: framing, and the chain that the portions are. */
const SERVER_NONCE = id<ServerNonce>(0x5e, 24);
const RECORD = encodeUploadRecord({
  kind: "void",
  payeeCertificate: payee.bytes,
  request: request.bytes,
  requestVoid: KINDS.void.sample.bytes,
});
const NOTHING = new Uint8Array();

type Changes = { readonly signer?: TestKey; readonly callerKey?: TestKey; readonly purpose?: CallPurpose };

async function portion(nonce: ServerNonce, content: Uint8Array, changes: Changes = {}): Promise<Uint8Array> {
  const { signer = terminal, callerKey = signer, purpose = "upload" } = changes;
  const callerId = deviceIdOf(callerKey.publicKey, crypto);
  return writeSignedCall(purpose, { callerId, nonce, content, issuedAt: NOW }, { signer, crypto });
}

const after = (previous: Uint8Array): ServerNonce =>
  followingNonce(readSignedCall("upload", previous, crypto).envelope.messageId);

const joined = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const stream = (...portions: readonly Uint8Array[]): Uint8Array => joined(portions.map((each) => encodeCbor(each)));

export async function streamCases(): Promise<{ readonly valid: readonly Case[]; readonly invalid: readonly Case[] }> {
  const one = await portion(SERVER_NONCE, RECORD);
  const two = await portion(after(one), joined([RECORD, RECORD]));
  const three = await portion(after(two), NOTHING);
  const input = (body: Uint8Array): JsonObject => ({
    key: hex(encodeCbor(publicKeyToCbor(terminal.publicKey))),
    nonce: SERVER_NONCE,
    body: hex(body),
  });
  const contents = [RECORD, joined([RECORD, RECORD]), NOTHING].map(hex);
  const good = (name: string, description: string, body: Uint8Array, portions: readonly string[]): Case => ({
    name: `stream/${name}`,
    description,
    step: "stream",
    input: input(body),
    expect: { fields: { portions } },
  });
  const bad = (name: string, description: string, code: string, body: Uint8Array, taken = 0): Case => ({
    name: `stream/${name}`,
    description,
    step: "stream",
    input: input(body),
    expect: { code, taken: contents.slice(0, taken) },
  });
  const first = encodeCbor(one);
  const other = testKey("other-device");
  const altered = two.with(-70, (two.at(-70) ?? 0) ^ 1);
  return {
    valid: [
      good("one", "One portion of one record.", stream(one), contents.slice(0, 1)),
      good("empty-portion", "A portion without records.", stream(await portion(SERVER_NONCE, NOTHING)), [""]),
      good("three", "Three portions, each bound to the one before it.", stream(one, two, three), contents),
    ],
    invalid: [
      bad("nothing", "No portion.", "BUNDLE_MALFORMED", NOTHING),
      bad("not-framed", "A signed call as it is, not in a byte string.", "BUNDLE_MALFORMED", one),
      bad("text", "A text where a portion belongs.", "BUNDLE_MALFORMED", joined([first, encodeCbor("text")]), 1),
      bad("array", "All portions in one array.", "BUNDLE_MALFORMED", encodeCbor([one, two])),
      bad("cut-off", "The second portion ends inside.", "BUNDLE_MALFORMED", stream(one, two).slice(0, -1), 1),
      bad(
        "cut-off-head",
        "The second length ends inside.",
        "BUNDLE_MALFORMED",
        joined([first, Uint8Array.of(0x59)]),
        1,
      ),
      bad(
        "long-length",
        "A length in more bytes than it needs.",
        "CBOR_NON_MINIMAL",
        joined([first, Uint8Array.of(0x5a, 0, 0, two.length >> 8, two.length & 0xff), two]),
        1,
      ),
      bad(
        "indefinite",
        "A byte string of indefinite length.",
        "CBOR_UNSUPPORTED",
        joined([Uint8Array.of(0x5f), first, Uint8Array.of(0xff)]),
      ),
      bad("reserved-length", "A length that no encoding has.", "CBOR_UNSUPPORTED", Uint8Array.of(0x5c, 0, 0, 0, 1)),
      bad(
        "too-large",
        "Says to be one byte longer than a call may be; refused before it has come.",
        "BODY_TOO_LARGE",
        joined([first, Uint8Array.of(0x5a, 0, 0x20, 0, 1)]),
        1,
      ),
      bad(
        "far-too-large",
        "A length of eight bytes.",
        "BODY_TOO_LARGE",
        joined([first, Uint8Array.of(0x5b, 0, 0, 0, 1, 0, 0, 0, 0)]),
        1,
      ),
      bad("empty-string", "A portion of no bytes.", "BUNDLE_MALFORMED", joined([first, Uint8Array.of(0x40)]), 1),
      bad(
        "content-altered",
        "A bit of the second content was changed.",
        "MESSAGE_INCONSISTENT",
        stream(one, altered),
        1,
      ),
      bad(
        "other-nonce",
        "The first portion bears another nonce than the server's.",
        "NONCE_INVALID",
        stream(await portion(id<ServerNonce>(0x5f, 24), RECORD)),
      ),
      bad(
        "nonce-again",
        "The second portion bears the server's nonce instead of the one that follows.",
        "NONCE_INVALID",
        stream(one, await portion(SERVER_NONCE, RECORD)),
        1,
      ),
      bad("repeated", "The first portion twice.", "NONCE_INVALID", stream(one, one), 1),
      bad("left-out", "The third portion behind the first.", "NONCE_INVALID", stream(one, three), 1),
      bad("swapped", "The second portion before the first.", "NONCE_INVALID", stream(two, one)),
      bad(
        "other-caller",
        "The second portion is another terminal's, bound to the first.",
        "NONCE_INVALID",
        stream(one, await portion(after(one), RECORD, { signer: other })),
        1,
      ),
      bad(
        "other-signer",
        "The second portion names the caller and is signed by another.",
        "SIGNATURE_INVALID",
        stream(one, await portion(after(one), RECORD, { signer: other, callerKey: terminal })),
        1,
      ),
      bad(
        "other-purpose",
        "The second portion was signed as a sync.",
        "SIGNATURE_INVALID",
        stream(one, await portion(after(one), RECORD, { purpose: "sync" })),
        1,
      ),
    ],
  };
}
