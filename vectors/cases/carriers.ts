import { decompress, encodeCbor, publicKeyToCbor } from "@cairn/cose";
import {
  type CallPurpose,
  type CodeType,
  decodeMessage,
  deviceIdOf,
  encodeBase45,
  encodeSyncRecord,
  encodeUploadRecord,
  fromHex,
  joinRecords,
  payment as paymentKind,
  type ServerNonce,
  type SyncRecord,
  terminalIdOf,
  type UploadRecord,
  writeCode,
  writeSignedCall,
} from "@cairn/messages";
import { type Case, hex, type JsonObject, type Step, toJson } from "../case.ts";
import { hintBy } from "../hint.ts";
import { type TestKey, testKey } from "../keys.ts";
import * as world from "../world.ts";
import { certificate, crypto, device, id, KINDS, NOW, payee, payment, request } from "../world.ts";

/** What carries messages: codes, signed calls, records. */
type Cases = { readonly valid: readonly Case[]; readonly invalid: readonly Case[] };

const good = (step: Step, name: string, description: string, input: JsonObject, fields: JsonObject): Case => ({
  name: `${step}/${name}`,
  description,
  step,
  input,
  expect: { fields },
});
const bad = (step: Step, name: string, description: string, input: JsonObject, code: string): Case => ({
  name: `${step}/${name}`,
  description,
  step,
  input,
  expect: { code },
});

const joined = (...parts: readonly Uint8Array[]): Uint8Array => joinRecords(parts);
const text = (content: Uint8Array, lead = "CAIRN:1P"): string => lead + encodeBase45(content);

export async function codes(): Promise<Cases> {
  const pairs: Record<CodeType, readonly [Uint8Array, Uint8Array]> = {
    request: [payee.bytes, request.bytes],
    payment: [certificate.bytes, payment.bytes],
    "open-payment": [certificate.bytes, KINDS["open-payment"].sample.bytes],
    receipt: [payee.bytes, KINDS.receipt.sample.bytes],
    void: [payee.bytes, KINDS.void.sample.bytes],
  };
  const valid = Object.entries(pairs).map(([type, [first, second]]) =>
    good(
      "code",
      type,
      `A code of type ${type}.`,
      { text: writeCode({ type: type as CodeType, certificate: first, message: second }), expected: [type] },
      { type, certificate: hex(first), message: hex(second) },
    ),
  );
  const usual = writeCode({ type: "payment", certificate: certificate.bytes, message: payment.bytes });
  const fields = { type: "payment", certificate: hex(certificate.bytes), message: hex(payment.bytes) };
  const expected = ["payment"];
  const any = good(
    "code",
    "surrounded",
    "White space around it, as scanners and people add.",
    { text: ` ${usual}\r\n`, expected },
    fields,
  );
  const either = good(
    "code",
    "one-of-two",
    "Two types are expected.",
    { text: usual, expected: ["request", "payment"] },
    fields,
  );
  const item = good(
    "code",
    "any-items",
    "Splitting looks at no message: any two items pass, and decoding refuses them later.",
    { text: text(Uint8Array.of(0, 1)), expected },
    { type: "payment", certificate: "00", message: "01" },
  );
  const wrong = (name: string, description: string, code: string, its: string): Case =>
    bad("code", name, description, { text: its, expected }, code);
  const invalid = [
    wrong("empty", "Nothing.", "CODE_PREFIX_UNKNOWN", ""),
    wrong("other-prefix", "Another scheme.", "CODE_PREFIX_UNKNOWN", usual.replace("CAIRN:", "HTTPS:")),
    wrong("lower-case", "The scheme in lower case.", "CODE_PREFIX_UNKNOWN", usual.replace("CAIRN:", "cairn:")),
    wrong("newer-version", "Version 2.", "CODE_VERSION_UNKNOWN", usual.replace("CAIRN:1", "CAIRN:2")),
    wrong("no-version", "Nothing behind the scheme.", "CODE_VERSION_UNKNOWN", "CAIRN:"),
    wrong("unknown-type", "Type X.", "CODE_TYPE_UNKNOWN", usual.replace("CAIRN:1P", "CAIRN:1X")),
    wrong("no-type", "Nothing behind the version.", "CODE_TYPE_UNKNOWN", "CAIRN:1"),
    wrong(
      "other-type",
      "A payment where a request is needed.",
      "CODE_TYPE_UNEXPECTED",
      usual.replace("CAIRN:1P", "CAIRN:1R"),
    ),
    wrong(
      "cut-off",
      "Cut off, so that one character is left over.",
      "CODE_TEXT_INVALID",
      usual.slice(0, (usual.length - 8) % 3 === 2 ? -1 : -2),
    ),
    wrong("lower-case-text", "A character that base45 does not have.", "CODE_TEXT_INVALID", `${usual.slice(0, -1)}a`),
    wrong("beyond-two-bytes", "Three characters above 65535.", "CODE_TEXT_INVALID", "CAIRN:1P:::"),
    wrong("beyond-one-byte", "Two characters above 255.", "CODE_TEXT_INVALID", "CAIRN:1P000::"),
    wrong("no-content", "No message.", "BUNDLE_MALFORMED", "CAIRN:1P"),
    wrong("one-message", "Only the certificate.", "BUNDLE_MALFORMED", text(certificate.bytes)),
    wrong(
      "three-messages",
      "A message too many.",
      "BUNDLE_MALFORMED",
      text(joined(certificate.bytes, payment.bytes, payment.bytes)),
    ),
    wrong(
      "cut-off-message",
      "The second message lacks its end.",
      "CBOR_TOO_LONG",
      text(joined(certificate.bytes, payment.bytes.slice(0, -1))),
    ),
    wrong("too-long", "Longer than two messages can be.", "MESSAGE_TOO_LARGE", text(new Uint8Array(4_097))),
  ];
  return { valid: [...valid, any, either, item], invalid };
}

type CallOptions = {
  readonly purpose: CallPurpose;
  readonly description: string;
  readonly content: Uint8Array;
  /** The device's key unless told otherwise: refunds are a terminal's. */
  readonly caller?: TestKey;
};

const keyOf = (signer: TestKey): string => hex(encodeCbor(publicKeyToCbor(signer.publicKey)));

async function body(purpose: CallPurpose, content: Uint8Array, caller = device): Promise<Uint8Array> {
  const callerId = deviceIdOf(caller.publicKey, crypto);
  const nonce = id<ServerNonce>(0x5e, 24);
  return writeSignedCall(purpose, { callerId, nonce, content, issuedAt: NOW }, { signer: caller, crypto });
}

export async function calls(): Promise<Cases> {
  const content = encodeUploadRecord(VOID);
  const call = async ({ purpose, description, content: its, caller = device }: CallOptions): Promise<Case> =>
    good(
      "call",
      purpose,
      description,
      { purpose, body: hex(await body(purpose, its, caller)), key: keyOf(caller) },
      {
        callerId: deviceIdOf(caller.publicKey, crypto),
        nonce: id<ServerNonce>(0x5e, 24),
        contentHash: hex(crypto.sha256(its)),
        issuedAt: NOW,
        content: hex(its),
      },
    );
  const nothing = new Uint8Array();
  const key = encodeCbor(["ABCDE-FGHJK", publicKeyToCbor(device.publicKey), 2, "Ada's phone"]);
  const paid = fromHex(payment.messageId);
  const lost = encodeCbor(fromHex(deviceIdOf(testKey("other-device").publicKey, crypto)));
  const till = encodeCbor(fromHex(terminalIdOf(world.terminal.publicKey, crypto)));
  const refund = encodeCbor([paid, 450, "REFUND-1"]);
  /** What one purpose is signed for says nothing under another one. */
  const asAnother = async (purpose: CallPurpose, read: CallPurpose, its: Uint8Array): Promise<Case> =>
    bad(
      "call",
      `${purpose}-as-${read}`,
      `What was signed as a call of purpose ${purpose} is brought as one of purpose ${read}.`,
      { purpose: read, body: hex(await body(purpose, its)), key: keyOf(device) },
      "SIGNATURE_INVALID",
    );
  const upload = await body("upload", content);
  const input = { purpose: "upload", body: hex(upload), key: keyOf(device) };
  const altered = upload.with(-70, (upload.at(-70) ?? 0) ^ 1);
  return {
    valid: [
      await call({ purpose: "enrolment", description: "A device enrols with a one-time code.", content: key }),
      await call({ purpose: "upload", description: "One record.", content }),
      await call({ purpose: "sync", description: "No record.", content: nothing }),
      await call({
        purpose: "outcomes",
        description: "The outcome of one payment is asked for.",
        content: encodeCbor([paid]),
      }),
      await call({ purpose: "devices", description: "The account's devices are asked for.", content: nothing }),
      await call({ purpose: "loss", description: "Another device of the account is reported lost.", content: lost }),
      await call({ purpose: "events", description: "The device waits for what happens.", content: nothing }),
      await call({ purpose: "receiving", description: "A wallet wants to receive with a key.", content: till }),
      await call({
        purpose: "refund",
        description: "A terminal gives 4.50 of a payment back, once.",
        content: refund,
        caller: world.terminal,
      }),
    ],
    invalid: [
      bad("call", "empty", "Nothing.", { ...input, body: "" }, "BUNDLE_MALFORMED"),
      bad(
        "call",
        "content-altered",
        "A bit of the content was changed.",
        { ...input, body: hex(altered) },
        "MESSAGE_INCONSISTENT",
      ),
      bad(
        "call",
        "content-missing",
        "The envelope alone.",
        { ...input, body: hex(upload.slice(0, -content.length)) },
        "MESSAGE_INCONSISTENT",
      ),
      bad(
        "call",
        "content-added",
        "A byte behind the content.",
        { ...input, body: `${hex(upload)}00` },
        "MESSAGE_INCONSISTENT",
      ),
      bad(
        "call",
        "other-purpose",
        "An upload's envelope on a sync.",
        { ...input, purpose: "sync" },
        "SIGNATURE_INVALID",
      ),
      await asAnother("devices", "events", nothing),
      await asAnother("events", "sync", nothing),
      await asAnother("loss", "receiving", lost),
      await asAnother("receiving", "loss", lost),
      await asAnother("outcomes", "refund", refund),
      await asAnother("refund", "outcomes", refund),
      bad(
        "call",
        "other-key",
        "Signed by another key than the caller's.",
        { ...input, key: keyOf(testKey("other-device")) },
        "SIGNATURE_INVALID",
      ),
      bad(
        "call",
        "not-an-envelope",
        "A record where the envelope belongs.",
        { ...input, body: hex(content) },
        "COSE_MALFORMED",
      ),
      bad(
        "call",
        "cut-off",
        "The envelope ends inside.",
        { ...input, body: hex(upload.slice(0, 100)) },
        "CBOR_TOO_LONG",
      ),
    ],
  };
}

const certificateBytes = certificate.bytes;
const VOID: UploadRecord = {
  kind: "void",
  payeeCertificate: payee.bytes,
  request: request.bytes,
  requestVoid: KINDS.void.sample.bytes,
};
function hintOf(bytes: Uint8Array): Uint8Array {
  const { messageId, signature } = decodeMessage(paymentKind, bytes, crypto);
  return hintBy(decompress(certificate.content.deviceKey), fromHex(messageId), signature);
}
const UPLOADS: readonly (readonly [name: string, UploadRecord])[] = [
  [
    "payment",
    {
      kind: "payment",
      payeeCertificate: payee.bytes,
      request: request.bytes,
      certificate: certificateBytes,
      payment: payment.bytes,
    },
  ],
  [
    "open-payment",
    {
      kind: "open-payment",
      payeeCertificate: payee.bytes,
      capture: KINDS.capture.sample.bytes,
      certificate: certificateBytes,
      payment: world.open.bytes,
    },
  ],
  ["void", VOID],
  [
    "payment-hint",
    {
      kind: "payment",
      payeeCertificate: payee.bytes,
      request: request.bytes,
      certificate: certificateBytes,
      payment: payment.bytes,
      hint: hintOf(payment.bytes),
    },
  ],
  [
    "open-payment-hint",
    {
      kind: "open-payment",
      payeeCertificate: payee.bytes,
      capture: KINDS.capture.sample.bytes,
      certificate: certificateBytes,
      payment: world.open.bytes,
      hint: new Uint8Array(32),
    },
  ],
];
const own = {
  certificate: certificateBytes,
  payment: payment.bytes,
  payeeCertificate: payee.bytes,
  request: request.bytes,
};
const SYNCS: readonly (readonly [name: string, SyncRecord])[] = [
  ["closing", { kind: "closing", closing: KINDS.closing.sample.bytes }],
  ["payment", { kind: "payment", ...own, receipt: undefined, requestVoid: undefined }],
  ["payment-receipt", { kind: "payment", ...own, receipt: KINDS.receipt.sample.bytes, requestVoid: undefined }],
  ["payment-void", { kind: "payment", ...own, receipt: undefined, requestVoid: KINDS.void.sample.bytes }],
  [
    "open-payment",
    {
      kind: "open-payment",
      certificate: certificateBytes,
      payment: world.open.bytes,
      payeeCertificate: undefined,
      receipt: undefined,
    },
  ],
  [
    "open-payment-receipt",
    {
      kind: "open-payment",
      certificate: certificateBytes,
      payment: world.open.bytes,
      payeeCertificate: payee.bytes,
      receipt: (await world.signReceipt({ paymentId: world.open.messageId })).bytes,
    },
  ],
];

export function records(): Cases {
  const uploads = UPLOADS.map(([name, record]) =>
    good(
      "records",
      `upload-${name}`,
      "One record of an upload.",
      { of: "upload", content: hex(encodeUploadRecord(record)) },
      { records: [toJson(record)] },
    ),
  );
  const syncs = SYNCS.map(([name, record]) =>
    good(
      "records",
      `sync-${name}`,
      "One record of a sync.",
      { of: "sync", content: hex(encodeSyncRecord(record)) },
      { records: [toJson(record)] },
    ),
  );
  const both = UPLOADS.slice(1).map(([, record]) => record);
  const several = good(
    "records",
    "upload-several",
    "Records one behind the other.",
    { of: "upload", content: hex(joinRecords(both.map(encodeUploadRecord))) },
    { records: both.map(toJson) },
  );
  const none = good("records", "none", "No record.", { of: "sync", content: "" }, { records: [] });
  const wrong = (of: "upload" | "sync", name: string, description: string, code: string, content: Uint8Array): Case =>
    bad("records", `${of}-${name}`, description, { of, content: hex(content) }, code);
  const closing = KINDS.closing.sample.bytes;
  const invalid = [
    wrong(
      "upload",
      "not-a-row",
      "A message where a record belongs is a row of another shape.",
      "BUNDLE_MALFORMED",
      payment.bytes,
    ),
    wrong("upload", "map", "A map.", "BUNDLE_MALFORMED", encodeCbor(new Map())),
    wrong("upload", "unknown-number", "Record 4.", "BUNDLE_MALFORMED", encodeCbor([4, closing])),
    wrong(
      "upload",
      "short",
      "A payment without its request.",
      "BUNDLE_MALFORMED",
      encodeCbor([1, payee.bytes, certificateBytes, payment.bytes]),
    ),
    wrong(
      "upload",
      "not-wrapped",
      "A message that is not a byte string.",
      "BUNDLE_MALFORMED",
      encodeCbor([3, payee.bytes, request.bytes, 0]),
    ),
    wrong(
      "upload",
      "null",
      "Nothing in the place of a request.",
      "BUNDLE_MALFORMED",
      encodeCbor([3, payee.bytes, null, KINDS.void.sample.bytes]),
    ),
    ...[0, 31, 33].map((length) =>
      wrong(
        "upload",
        `hint-${length}`,
        `A hint of ${length} bytes.`,
        "BUNDLE_MALFORMED",
        encodeCbor([1, payee.bytes, request.bytes, certificateBytes, payment.bytes, new Uint8Array(length)]),
      ),
    ),
    wrong(
      "upload",
      "hint-null",
      "Nothing in the place of a hint.",
      "BUNDLE_MALFORMED",
      encodeCbor([1, payee.bytes, request.bytes, certificateBytes, payment.bytes, null]),
    ),
    wrong(
      "upload",
      "hint-of-a-void",
      "A void needs no hint.",
      "BUNDLE_MALFORMED",
      encodeCbor([3, payee.bytes, request.bytes, KINDS.void.sample.bytes, new Uint8Array(32)]),
    ),
    wrong("upload", "of-a-sync", "A closing in an upload.", "BUNDLE_MALFORMED", encodeCbor([1, closing])),
    wrong("sync", "of-an-upload", "A void in a sync.", "BUNDLE_MALFORMED", encodeUploadRecord(VOID)),
    wrong(
      "sync",
      "receipt-alone",
      "An open payment's receipt without its payee certificate.",
      "BUNDLE_MALFORMED",
      encodeCbor([3, certificateBytes, world.open.bytes, null, KINDS.receipt.sample.bytes]),
    ),
    wrong("upload", "cut-off", "The last record ends inside.", "CBOR_TOO_LONG", encodeUploadRecord(VOID).slice(0, -1)),
    wrong("sync", "too-many", "1,001 records.", "MESSAGE_TOO_LARGE", new Uint8Array(1_001)),
  ];
  return { valid: [...uploads, ...syncs, several, none], invalid };
}
