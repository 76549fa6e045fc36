import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCbor } from "@cairn/cose";
import { encodeBase45, expectCode, readCode, writeCode } from "@cairn/messages";
import { certificate, payment } from "../../../vectors/world.ts";

/** Text of a code whose content is the given CBOR items. */
const codeOf = (...items: readonly Uint8Array[]): string =>
  `CAIRN:1P${encodeBase45(Uint8Array.from(items.flatMap((item) => [...item])))}`;
const item = encodeCbor(new Uint8Array(4));
const good = writeCode({ type: "payment", certificate: certificate.bytes, message: payment.bytes });

test("what is no code of ours is told apart from one of a newer version", () => {
  for (const [text, code] of [
    ["", "CODE_PREFIX_UNKNOWN"],
    ["https://cairn.example", "CODE_PREFIX_UNKNOWN"],
    [good.toLowerCase(), "CODE_PREFIX_UNKNOWN"],
    [`x${good}`, "CODE_PREFIX_UNKNOWN"],
    ["CAIRN:", "CODE_VERSION_UNKNOWN"],
    [good.replace(":1", ":2"), "CODE_VERSION_UNKNOWN"],
    ["CAIRN:1", "CODE_TYPE_UNKNOWN"],
    [good.replace(":1P", ":1Q"), "CODE_TYPE_UNKNOWN"],
    [good.replace(":1P", ":1p"), "CODE_TYPE_UNKNOWN"],
    [`${good}a`, "CODE_TEXT_INVALID"],
  ] as const)
    assert.throws(() => readCode(text), { code }, text);
});

test("each type has its letter, and whoever waits for one type is told of another", () => {
  for (const [type, letter] of [
    ["request", "R"],
    ["payment", "P"],
    ["open-payment", "O"],
    ["receipt", "T"],
    ["void", "V"],
  ] as const) {
    const text = writeCode({ type, certificate: certificate.bytes, message: payment.bytes });
    assert.equal(text, good.replace(":1P", `:1${letter}`));
    const other = type === "void" ? "receipt" : "void";
    const code = readCode(` ${text}\n`);
    assert.deepEqual(code, { type, certificate: certificate.bytes, message: payment.bytes });
    assert.equal(expectCode(code, other, type), code);
    assert.throws(() => expectCode(code, other), {
      code: "CODE_TYPE_UNEXPECTED",
      detail: `${type} instead of ${other}`,
    });
  }
});

test("a code holds two messages, no more and no fewer", () => {
  assert.deepEqual(readCode(codeOf(item, item)).message, item);
  for (const items of [[], [item], [item, item, item]])
    assert.throws(() => readCode(codeOf(...items)), { code: "BUNDLE_MALFORMED" }, `${items.length} items`);
});

test("a code longer than two messages is refused before it is decoded", () => {
  assert.throws(() => readCode(`CAIRN:1P${"a".repeat(3 * 2048 + 1)}`), { code: "MESSAGE_TOO_LARGE" });
  assert.throws(() => readCode(`CAIRN:1P${"a".repeat(3 * 2048)}`), { code: "CODE_TEXT_INVALID" });
});
