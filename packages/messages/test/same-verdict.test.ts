import assert from "node:assert/strict";
import { test } from "node:test";
import { type CborKey, type CborValue, CodedError, decodeCbor, decodeCborViews } from "@cairn/cose";
import { decodeMessage, LABEL, type MessageKind } from "@cairn/messages";
import { crypto, KINDS, type KindName } from "../../../vectors/world.ts";

/**
 * Messages are read field by field, straight from their bytes. Here they are read a second time, from values that know
 * nothing of fields, by the order of checks in docs/spec/refusals.md and tables written anew from docs/spec/messages.md:
 * the verdict has to be the same for every prefix and every change of a byte.
 */
type Verdict = string | undefined;
type Looks = (value: CborValue) => Verdict;

const INVALID = "MESSAGE_FIELD_INVALID";
const when = (is: boolean): Verdict => (is ? undefined : INVALID);
const upTo =
  (maximum: number): Looks =>
  (value) =>
    when(typeof value === "number" && value >= 0 && value <= maximum);
const time = upTo(2 ** 32 - 1);
const minor = upTo(Number.MAX_SAFE_INTEGER);
const bytes =
  (length: number): Looks =>
  (value) =>
    when(value instanceof Uint8Array && value.length === length);
const form =
  (pattern: RegExp): Looks =>
  (value) =>
    when(typeof value === "string" && pattern.test(value));
const shown =
  (maximum: number): Looks =>
  (value) =>
    when(
      typeof value === "string" &&
        value !== "" &&
        new TextEncoder().encode(value).length <= maximum &&
        !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u.test(value) &&
        value.normalize("NFC") === value &&
        value.trim() === value,
    );
const row =
  (...columns: readonly Looks[]): Looks =>
  (value) =>
    Array.isArray(value) && value.length === columns.length
      ? value.map((each, at) => columns[at]?.(each)).find((verdict) => verdict !== undefined)
      : INVALID;

const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const key: Looks = (value) => {
  const [x, isOdd] = value instanceof Map ? [value.get(-2), value.get(-3)] : [];
  const hasForm = value instanceof Map && value.size === 4 && value.get(1) === 2 && value.get(-1) === 1;
  const isBelow = x instanceof Uint8Array && x.length === 32 && BigInt(`0x${Buffer.from(x).toString("hex")}`) < P;
  return hasForm && isBelow && typeof isOdd === "boolean" ? undefined : "COSE_KEY_INVALID";
};
const confirmation: Looks = (value) =>
  value instanceof Map && value.size === 1 && value.has(1) ? key(value.get(1) as CborValue) : INVALID;
const currency = form(/^[A-Z]{3}$/);
const payeeId = form(/^[A-Z0-9-]{1,16}$/);

/** Labels in their order on the wire; "?" marks what may be absent. */
type Table = readonly (readonly [label: number, looks: Looks, optional?: "?"])[];
const about: Table = [
  [LABEL.issuedAt, time],
  [LABEL.amount, minor],
  [LABEL.payment, bytes(32)],
];
const chain: Table = [
  [LABEL.issuedAt, time],
  [LABEL.amount, minor],
  [LABEL.sequence, time],
  [LABEL.spent, minor],
  [LABEL.previous, bytes(8)],
];
const call = {
  keyId: 8,
  fields: [
    [LABEL.issuedAt, time],
    [LABEL.nonce, bytes(24)],
    [LABEL.contentHash, bytes(32)],
  ] as Table,
};
const TABLES: { readonly [name: string]: { readonly keyId: number; readonly fields: Table } } = {
  "user-certificate": {
    keyId: 4,
    fields: [
      [LABEL.expiresAt, time],
      [LABEL.issuedAt, time],
      [LABEL.tokenId, bytes(16)],
      [LABEL.confirmation, confirmation],
      [LABEL.userTerms, row(currency, minor, minor, upTo(3), time)],
    ],
  },
  "payee-certificate": {
    keyId: 4,
    fields: [
      [LABEL.subject, payeeId],
      [LABEL.expiresAt, time],
      [LABEL.issuedAt, time],
      [LABEL.tokenId, bytes(8)],
      [LABEL.confirmation, confirmation],
      [LABEL.payeeTerms, row(shown(40), currency, minor, minor, minor, time)],
    ],
  },
  "payment-request": {
    keyId: 8,
    fields: [
      [LABEL.expiresAt, time],
      [LABEL.issuedAt, time],
      [LABEL.amount, minor],
      [LABEL.currency, currency],
      [LABEL.nonce, bytes(8)],
      [LABEL.orderReference, shown(32), "?"],
    ],
  },
  payment: { keyId: 16, fields: [...chain, [LABEL.request, bytes(16)]] },
  "open-payment": { keyId: 16, fields: [[LABEL.audience, payeeId, "?"], [LABEL.expiresAt, time], ...chain] },
  capture: { keyId: 8, fields: about },
  receipt: { keyId: 8, fields: about },
  void: {
    keyId: 8,
    fields: [
      [LABEL.issuedAt, time],
      [LABEL.request, bytes(32)],
    ],
  },
  closing: {
    keyId: 16,
    fields: [
      [LABEL.issuedAt, time],
      [LABEL.sequence, time],
      [LABEL.spent, minor],
      [LABEL.previous, bytes(8)],
    ],
  },
  "call-sync": call,
};

/** The code of what is wrong, undefined when nothing is. */
function verdictOn(name: string, message: Uint8Array): Verdict {
  const { keyId, fields } = TABLES[name] as (typeof TABLES)[string];
  if (message[0] === 0xd2) return "COSE_MALFORMED";
  const [header, unprotected, payload, signature, ...more] = arrayOf(decodeCborViews(message));
  if (!(header instanceof Uint8Array && unprotected instanceof Map && payload instanceof Uint8Array))
    return "COSE_MALFORMED";
  if (!(signature instanceof Uint8Array) || more.length > 0) return "COSE_MALFORMED";
  const labels = header.length === 0 ? new Map<CborKey, CborValue>() : decodeCbor(header);
  if (!(labels instanceof Map)) return "COSE_MALFORMED";
  if (labels.get(1) !== -7) return "COSE_ALGORITHM";
  const [kid, type] = [labels.get(4), labels.get(16)];
  const known = 1 + (kid instanceof Uint8Array ? 1 : 0) + (typeof type === "string" ? 1 : 0);
  if (known < labels.size || unprotected.size > 0) return "COSE_HEADER";
  if (signature.length !== 64) return "COSE_MALFORMED";
  if (kid === undefined) return "MESSAGE_FIELD_MISSING";
  if (type !== undefined) return INVALID;
  const map = decodeCbor(payload);
  if (bytes(keyId)(kid) !== undefined || !(map instanceof Map)) return INVALID;
  return verdictOnFields(fields, map) ?? verdictOnWhole(map);
}

function verdictOnFields(fields: Table, map: ReadonlyMap<CborKey, CborValue>): Verdict {
  for (const [label, looks, optional] of fields) {
    const value = map.get(label);
    if (value === undefined && optional === undefined) return "MESSAGE_FIELD_MISSING";
    const verdict = value === undefined ? undefined : looks(value);
    if (verdict !== undefined) return verdict;
  }
  const isKnown = (found: CborKey): boolean => fields.some(([label]) => label === found);
  return [...map.keys()].every(isKnown) ? undefined : "MESSAGE_FIELD_UNKNOWN";
}

function verdictOnWhole(map: ReadonlyMap<CborKey, CborValue>): Verdict {
  const [ends, begins] = [map.get(LABEL.expiresAt), map.get(LABEL.issuedAt)];
  if (ends !== undefined && Number(ends) <= Number(begins)) return "MESSAGE_INCONSISTENT";
  const [, limit, cap] = arrayOf(map.get(LABEL.userTerms));
  return cap !== undefined && (Number(cap) > Number(limit) || cap === 0) ? "MESSAGE_INCONSISTENT" : undefined;
}

const arrayOf = (value: CborValue | undefined): readonly CborValue[] => (Array.isArray(value) ? value : []);

function codeOf(work: () => Verdict): Verdict {
  try {
    return work();
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
}

const SIGNATURE = 64;

function* changesOf(message: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < message.length; length++) yield message.slice(0, length);
  for (const more of [0x00, 0xf6, 0xff]) yield Uint8Array.of(...message, more);
  // Whatever a signature holds, it is one.
  for (let at = 0; at < message.length - SIGNATURE; at++) {
    yield Uint8Array.of(...message.subarray(0, at), ...message.subarray(at + 1));
    for (const byte of [0x00, 0x18, 0x40, 0x61, 0x80, 0xa0, 0xf4, 0xf6])
      yield Uint8Array.of(...message.subarray(0, at), byte, ...message.subarray(at));
    for (let bit = 0; bit < 8; bit++) yield message.with(at, (message[at] as number) ^ (1 << bit));
    for (const byte of [0x00, 0x17, 0x18, 0x1b, 0x20, 0x58, 0x60, 0x7f, 0x80, 0x9f, 0xa0, 0xc1, 0xf5, 0xf6, 0xf7])
      yield message.with(at, byte);
  }
}

test("every prefix and every change of a byte gets the verdict of a reader that goes by values", () => {
  const seen = new Set<Verdict>();
  for (const name of Object.keys(TABLES) as KindName[]) {
    const { kind, sample } = KINDS[name];
    for (const message of [sample.bytes, ...changesOf(sample.bytes)]) {
      const expected = codeOf(() => verdictOn(name, message));
      const found = codeOf(() => void decodeMessage(kind as MessageKind<unknown>, message, crypto));
      assert.equal(found, expected, `${name} ${Buffer.from(message).toString("hex")}`);
      seen.add(expected);
    }
  }
  for (const code of [undefined, "COSE_ALGORITHM", "COSE_HEADER", "COSE_KEY_INVALID", "MESSAGE_FIELD_UNKNOWN"])
    assert.ok(seen.has(code), String(code));
});
