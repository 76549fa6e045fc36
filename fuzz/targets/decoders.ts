import { deepStrictEqual } from "node:assert/strict";
import { constants, inflateSync } from "node:zlib";
import {
  CborCursor,
  type CborValue,
  CodedError,
  checkCbor,
  decodeCbor,
  decodeCborSequence,
  decodeCborViews,
  decodePublicKey,
  decodeSign1,
  encodeCbor,
  publicKeyFromCbor,
  publicKeyFromPoint,
  publicKeyToCbor,
  readArrayHead,
  readByteString,
  readInteger,
  readMapHead,
  readNull,
  readText,
  readTextBytes,
  readUnsigned,
  readValue,
  splitCborSequence,
  splitCborSequenceViews,
} from "@cairn/cose";
import {
  type CallPurpose,
  decodeBase45,
  decodeMessage,
  encodeBase45,
  encodeSyncRecord,
  encodeUploadRecord,
  MAXIMUM_STATUS_LIST_INFLATED_BYTES,
  type MessageKind,
  prepareMessage,
  readCode,
  readSignedCall,
  readSyncRecord,
  readUploadRecord,
  signedCall,
  splitRecords,
  writeCode,
} from "@cairn/messages";
import { decodeUtf8 } from "../../packages/cose/src/utf8.ts";
import { inflateZlib } from "../../packages/messages/src/inflate.ts";
import { crypto, KINDS } from "../../vectors/world.ts";
import { bytesOf, mustHold, type Target, textOf } from "../target.ts";
import { hexAt, vectorInputs } from "./vector-inputs.ts";

/** Runs a decoder: answers what it read, undefined when it refused with an error of its own. */
function decoded<Value>(decode: () => Value): Value | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}

const same = (left: Uint8Array, right: Uint8Array): boolean => Buffer.compare(left, right) === 0;
const messages = vectorInputs("decode").map((input) => hexAt(input, "bytes"));
const codes = vectorInputs("code").map((input) => String(input.text));
const calls = vectorInputs("call").map((input) => hexAt(input, "body"));
const records = vectorInputs("records").map((input) => hexAt(input, "content"));
const codeContents = codes.flatMap((text) => decoded(() => decodeBase45(text.slice(8))) ?? []);

/** The readers of one type each, as the values say that they have to come. */
function readAgain(cursor: CborCursor, value: CborValue): void {
  const before = cursor.position;
  if (typeof value !== "string") mustHold(readText(cursor) === undefined, "Something else is read as text.");
  if (typeof value !== "string") mustHold(readTextBytes(cursor) === -1, "Something else is stepped over as text.");
  if (!(value instanceof Uint8Array)) mustHold(readByteString(cursor) === -1, "Something else is read as bytes.");
  if (!Array.isArray(value)) mustHold(readArrayHead(cursor) === -1, "Something else is read as an array.");
  if (!(value instanceof Map)) mustHold(readMapHead(cursor) === -1, "Something else is read as a map.");
  if (typeof value !== "number") mustHold(readInteger(cursor) === undefined, "Something else is read as a number.");
  if (typeof value !== "number" || value < 0) mustHold(readUnsigned(cursor) === -1, "Something is read as a number.");
  if (value !== null) mustHold(!readNull(cursor), "Something else is read as nothing.");
  mustHold(cursor.position === before, "What is not read is stepped over.");
  if (typeof value === "number") mustHold(readInteger(cursor) === value, "Another number.");
  else if (typeof value === "string") mustHold(readText(cursor) === value, "Another text.");
  else if (value === null) mustHold(readNull(cursor), "Nothing is not read.");
  else if (value instanceof Uint8Array) mustHold(readByteString(cursor) === value.length, "Another length.");
  else if (Array.isArray(value)) {
    mustHold(readArrayHead(cursor) === value.length, "Another array.");
    for (const item of value) readAgain(cursor, item);
  } else if (value instanceof Map) {
    mustHold(readMapHead(cursor) === value.size, "Another map.");
    for (const item of [...value].flat()) readAgain(cursor, item);
  } else mustHold(readValue(cursor) === value, "Another truth.");
}

const READERS = [
  readUnsigned,
  readInteger,
  readByteString,
  readText,
  readTextBytes,
  readArrayHead,
  readMapHead,
  readNull,
  readValue,
];

const cbor: Target = {
  name: "cbor",
  shape: "cbor",
  seeds: [...messages.slice(0, 40), ...records.slice(0, 5)],
  run: (input) => {
    const value = decoded(() => decodeCbor(input));
    if (value !== undefined) mustHold(same(encodeCbor(value), input), "What was decoded has another encoding.");
    const isSound = decoded(() => [checkCbor(input)]) !== undefined;
    mustHold(isSound === (value !== undefined), "Bytes are CBOR to one and not to the other.");
    for (const read of READERS) decoded(() => read(new CborCursor(input)));
    if (value !== undefined) readAgain(new CborCursor(input), value);
    deepStrictEqual(
      decoded(() => decodeCborViews(input)),
      value,
    );
    const all = decoded(() => decodeCborSequence(input));
    const each = decoded(() => [...splitCborSequence(input)]);
    deepStrictEqual(
      decoded(() => [...splitCborSequenceViews(input)]),
      each,
    );
    mustHold(each === undefined || same(Buffer.concat(each), input), "Bytes went missing.");
    if (all === undefined || each === undefined) return;
    deepStrictEqual(
      each.map((item) => decodeCbor(item)),
      all,
    );
  },
};

const sign1: Target = {
  name: "sign1",
  shape: "cbor",
  seeds: messages.slice(0, 40),
  run: (input) => {
    for (const form of [{ context: "x" }, { context: "", tagged: true }]) decoded(() => decodeSign1(input, form));
  },
};

const key: Target = {
  name: "key",
  shape: "cbor",
  seeds: [encodeCbor(publicKeyToCbor(KINDS.payment.by.publicKey)), new Uint8Array(33).fill(2), new Uint8Array(65)],
  run: (input) => {
    const read = decoded(() => publicKeyFromCbor(decodeCbor(input)));
    if (read !== undefined) mustHold(same(encodeCbor(publicKeyToCbor(read)), input), "A key has two encodings.");
    deepStrictEqual(
      decoded(() => decodePublicKey(input)),
      read,
    );
    decoded(() => publicKeyFromPoint(input));
  },
};

const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf8: Target = {
  name: "utf8",
  shape: "bytes",
  seeds: ["Harbour Kiosk", "é€😀", "\ufeff\u0000\u07ff\u0800\uffff\u{10ffff}"].map(bytesOf),
  run: (input) => {
    let expected: string | undefined;
    try {
      expected = utf8Decoder.decode(input);
    } catch {
      expected = undefined;
    }
    mustHold(decodeUtf8(input, 0, input.length) === expected, "Another UTF-8 decoder reads something else.");
  },
};

const base45: Target = {
  name: "base45",
  shape: "text",
  seeds: codes.map((text) => bytesOf(text.slice(8, 60))),
  run: (input) => {
    const text = textOf(input);
    const bytes = decoded(() => decodeBase45(text));
    mustHold(bytes === undefined || encodeBase45(bytes) === text, "A text and another one stand for the same bytes.");
    mustHold(same(decodeBase45(encodeBase45(input)), input), "Bytes do not come back.");
  },
};

const codeText: Target = {
  name: "code-text",
  shape: "text",
  seeds: codes.map(bytesOf),
  run: (input) => {
    const text = textOf(input);
    const code = decoded(() => readCode(text));
    mustHold(code === undefined || writeCode(code) === text.trim(), "A code and another one say the same.");
  },
};

const codeContent: Target = {
  name: "code-content",
  shape: "cbor",
  seeds: codeContents,
  run: (input) => {
    const code = decoded(() => readCode(`CAIRN:1P${encodeBase45(input)}`));
    if (code === undefined) return;
    mustHold(same(Buffer.concat([code.certificate, code.message]), input), "Bytes went missing.");
  },
};

/** Compression is free to choose, so only of this kind two encodings may say the same. */
const COMPRESSED = "status-list";
const kinds = Object.entries(KINDS).map(([name, { kind, sample }]): Target => {
  const of = kind as MessageKind<unknown>;
  return {
    name: `message-${name}`,
    shape: "cbor",
    seeds: [
      sample.bytes,
      ...vectorInputs("decode").flatMap((input) => (input.kind === name ? [hexAt(input, "bytes")] : [])),
    ],
    run: (input) => {
      const message = decoded(() => decodeMessage(of, input, crypto));
      if (message === undefined || name === COMPRESSED) return;
      const { messageId } = prepareMessage(of, message.unverified, crypto);
      mustHold(messageId === message.messageId, "What was read is written in another way.");
    },
  };
});

const uploadRecords: Target = {
  name: "upload-records",
  shape: "cbor",
  seeds: records,
  run: (input) => {
    for (const bytes of decoded(() => splitRecords(input)) ?? []) {
      const upload = decoded(() => readUploadRecord(bytes));
      mustHold(upload === undefined || same(encodeUploadRecord(upload), bytes), "An upload record changes.");
      const sync = decoded(() => readSyncRecord(bytes));
      mustHold(sync === undefined || same(encodeSyncRecord(sync), bytes), "A sync record changes.");
    }
  },
};

const PURPOSES = Object.keys(signedCall) as CallPurpose[];
const signedCalls: Target = {
  name: "signed-call",
  shape: "cbor",
  seeds: calls,
  run: (input) => {
    for (const purpose of PURPOSES) decoded(() => readSignedCall(purpose, input, crypto));
  },
};

/** Node's inflater is the other opinion. It also takes what stands behind the stream and preset dictionaries. */
const inflate: Target = {
  name: "inflate",
  shape: "bytes",
  seeds: ["789c03000000000001", "789c4b4c4a06000245011d", "7801010300fcff616263024d0127", "78da6360400001"].map((hex) =>
    Uint8Array.from(Buffer.from(hex, "hex")),
  ),
  run: (input) => {
    const limit = Math.min(65_536, MAXIMUM_STATUS_LIST_INFLATED_BYTES);
    const ours = decoded(() => inflateZlib(input, limit));
    let theirs: Uint8Array | undefined;
    let consumed = 0;
    try {
      const { buffer, engine } = inflateSync(input, {
        info: true,
        maxOutputLength: limit,
        finishFlush: constants.Z_FINISH,
      }) as unknown as { buffer: Uint8Array; engine: { bytesWritten: number } };
      theirs = buffer;
      consumed = engine.bytesWritten;
    } catch {
      theirs = undefined;
    }
    if (ours !== undefined) mustHold(theirs !== undefined && same(ours, theirs), "Only ours inflates this.");
    else mustHold(theirs === undefined || consumed !== input.length, "Only Node inflates this.");
  },
};

export const decoderTargets: readonly Target[] = [
  ...[cbor, sign1, key, utf8, base45, codeText, codeContent, ...kinds, uploadRecords, signedCalls, inflate],
];
