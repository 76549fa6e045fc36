import assert from "node:assert/strict";
import { test } from "node:test";
import { type CborMap, type CborValue, CodedError, encodeCbor } from "@cairn/cose";
import { decodeMessage, LABEL, type MessageKind } from "@cairn/messages";
import { crypto, faulty, KINDS, type KindName } from "../../../vectors/world.ts";
import { MAXIMUM_TRUST_LIST_ENTRIES } from "../src/bounds.ts";

/** Every bound of every field, through the messages that carry it: the last value allowed, the first one refused. */
const NAMES = Object.keys(KINDS) as KindName[];
const decode = (name: KindName, bytes: Uint8Array) =>
  decodeMessage(KINDS[name].kind as MessageKind<unknown>, bytes, crypto);

async function refuses(name: KindName, code: string, payload: (map: CborMap) => void, what: string): Promise<void> {
  const bytes = await faulty(name, { payload });
  assert.throws(
    () => decode(name, bytes),
    (error) => error instanceof CodedError && error.code === code,
    `${name}: ${what} must be ${code}`,
  );
}

async function takes(name: KindName, payload: (map: CborMap) => void, what: string): Promise<void> {
  const bytes = await faulty(name, { payload });
  assert.doesNotThrow(() => decode(name, bytes), `${name}: ${what}`);
}

async function labelsOf(name: KindName): Promise<readonly number[]> {
  let labels: number[] = [];
  await faulty(name, {
    payload: (map) => {
      labels = [...map.keys()].map(Number);
    },
  });
  return labels;
}

const OPTIONAL: Partial<Record<KindName, readonly number[]>> = {
  "payment-request": [LABEL.orderReference],
  "open-payment": [LABEL.audience],
};

test("each field of each kind must be there, unless it is optional", async () => {
  for (const name of NAMES) {
    for (const label of await labelsOf(name)) {
      const drop = (map: CborMap) => void map.delete(label);
      if (OPTIONAL[name]?.includes(label)) await takes(name, drop, `without ${label}`);
      else await refuses(name, "MESSAGE_FIELD_MISSING", drop, `without ${label}`);
    }
  }
});

test("no kind takes a field that it does not know, by number or by text", async () => {
  for (const name of NAMES) {
    await refuses(name, "MESSAGE_FIELD_UNKNOWN", (map) => void map.set(99, 0), "label 99");
    await refuses(name, "MESSAGE_FIELD_UNKNOWN", (map) => void map.set("__proto__", 0), "a text label");
  }
});

test("no field of any kind takes a value of another type", async () => {
  for (const name of NAMES) {
    for (const label of await labelsOf(name)) {
      for (const value of [true, null, new Map(), [true]] satisfies CborValue[]) {
        const bytes = await faulty(name, { payload: (map) => void map.set(label, value) });
        assert.throws(() => decode(name, bytes), { code: "MESSAGE_FIELD_INVALID" }, `${name} ${label}`);
      }
    }
  }
});

test("a payload that is no map is refused", async () => {
  for (const name of NAMES) {
    const bytes = await faulty(name, { payloadBytes: encodeCbor([1]) });
    assert.throws(() => decode(name, bytes), { code: "MESSAGE_FIELD_INVALID" }, name);
  }
});

const messageOf = (name: KindName, bytes: Uint8Array): string => {
  try {
    decode(name, bytes);
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  return assert.fail(`${name} is read`);
};

test("a map of nothing lacks its fields", async () => {
  for (const name of NAMES) {
    const bytes = await faulty(name, { payloadBytes: encodeCbor(new Map()) });
    assert.throws(() => decode(name, bytes), { code: "MESSAGE_FIELD_MISSING" }, name);
  }
});

test("of several unknown labels the first is told, and what is missing before what is unknown", async () => {
  for (const name of NAMES) {
    const strangers = (map: CborMap) => void map.set(90, 0).set(91, 0);
    assert.match(messageOf(name, await faulty(name, { payload: strangers })), /label 90\b/, name);
    const named = (map: CborMap) => void map.set("extra", 0);
    assert.match(messageOf(name, await faulty(name, { payload: named })), /label extra\b/, name);
    const [needed = 0] = (await labelsOf(name)).filter((label) => OPTIONAL[name]?.includes(label) !== true);
    const lacking = (map: CborMap) => {
      strangers(map);
      map.delete(needed);
    };
    await refuses(name, "MESSAGE_FIELD_MISSING", lacking, "what is missing comes first");
  }
});

/** Kind, label, values at the edge that are taken, values just beyond it that are not. */
const EDGES: readonly [KindName, number, readonly CborValue[], readonly CborValue[]][] = [
  ["payment", LABEL.amount, [0, Number.MAX_SAFE_INTEGER], [-1, "1"]],
  ["payment", LABEL.spent, [0, Number.MAX_SAFE_INTEGER], [-1]],
  ["payment", LABEL.sequence, [0, 0xffff_ffff], [-1, 0x1_0000_0000]],
  ["payment", LABEL.issuedAt, [0, 0xffff_ffff], [-1, 0x1_0000_0000]],
  ["payment", LABEL.previous, [new Uint8Array(8)], [new Uint8Array(7), new Uint8Array(9)]],
  ["payment", LABEL.request, [new Uint8Array(16)], [new Uint8Array(15), new Uint8Array(17)]],
  ["receipt", LABEL.payment, [new Uint8Array(32)], [new Uint8Array(31), new Uint8Array(33)]],
  ["payment-request", LABEL.currency, ["JPY"], ["eur", "EU", "EURO", "ÉUR"]],
  ["payment-request", LABEL.nonce, [new Uint8Array(8)], [new Uint8Array(7)]],
  [
    "payment-request",
    LABEL.orderReference,
    ["a", "a".repeat(32), "é".repeat(16)],
    ["", "a".repeat(33), "é".repeat(17)],
  ],
  [
    "payment-request",
    LABEL.orderReference,
    ["Tisch 4", "\u00e9"],
    ["e\u0301", " a", "a ", "a\nb", "a\u202eb", "a\u200bb"],
  ],
  ["payee-certificate", LABEL.subject, ["A".repeat(16)], ["", "A".repeat(17), "a"]],
  ["open-payment", LABEL.audience, ["A".repeat(16)], ["", "A".repeat(17), "a"]],
  ["trust-list", LABEL.listVersion, [0, 0xffff_ffff], [-1, 0x1_0000_0000]],
  ["trust-list", LABEL.trustedKeys, [[]], [[[]], "keys"]],
  ["status-list", LABEL.subject, [`a:${"b".repeat(198)}`], [`a:${"b".repeat(199)}`, "no uri", "a:", "a:é"]],
  ["status-list", LABEL.timeToLive, [0, 0xffff_ffff], [-1, 0x1_0000_0000]],
  ["call-sync", LABEL.nonce, [new Uint8Array(24)], [new Uint8Array(23), new Uint8Array(25)]],
  ["call-sync", LABEL.contentHash, [new Uint8Array(32)], [new Uint8Array(31)]],
];

test("fields take the last value that their bounds allow and refuse the next", async () => {
  for (const [name, label, allowed, refused] of EDGES) {
    for (const value of allowed) await takes(name, (map) => void map.set(label, value), `${label} = ${value}`);
    for (const value of refused)
      await refuses(name, "MESSAGE_FIELD_INVALID", (map) => void map.set(label, value), `${label} = ${value}`);
  }
});

/** Changes one column of a row. */
const column = (label: number, at: number, value: CborValue) => (map: CborMap) => {
  const row = map.get(label);
  assert.ok(Array.isArray(row));
  row[at] = value;
};

const COLUMNS: readonly [KindName, number, number, readonly CborValue[], readonly CborValue[]][] = [
  ["user-certificate", LABEL.userTerms, 0, ["USD"], ["usd", 1]],
  ["user-certificate", LABEL.userTerms, 1, [Number.MAX_SAFE_INTEGER], [-1, "1"]],
  ["user-certificate", LABEL.userTerms, 3, [0, 3], [-1, 4, "1"]],
  ["user-certificate", LABEL.userTerms, 4, [0, 0xffff_ffff], [-1, 0x1_0000_0000]],
  ["payee-certificate", LABEL.payeeTerms, 0, ["n".repeat(40)], ["", "n".repeat(41), "a\u2028b", 7]],
  ["payee-certificate", LABEL.payeeTerms, 5, [0, 0xffff_ffff], [-1, 0x1_0000_0000]],
];

test("rows have their columns, no more and no fewer, each within its bounds", async () => {
  for (const [name, label, at, allowed, refused] of COLUMNS) {
    for (const value of allowed) await takes(name, column(label, at, value), `column ${at} = ${value}`);
    for (const value of refused)
      await refuses(name, "MESSAGE_FIELD_INVALID", column(label, at, value), `column ${at} = ${value}`);
  }
  for (const [name, label] of [
    ["user-certificate", LABEL.userTerms],
    ["payee-certificate", LABEL.payeeTerms],
  ] as const) {
    const change = (work: (row: CborValue[]) => void) => (map: CborMap) => {
      const row = map.get(label);
      assert.ok(Array.isArray(row));
      work(row);
    };
    await refuses(
      name,
      "MESSAGE_FIELD_INVALID",
      change((row) => void row.push(0)),
      "one column more",
    );
    await refuses(
      name,
      "MESSAGE_FIELD_INVALID",
      change((row) => void row.pop()),
      "one column less",
    );
  }
});

test("an error about a column names row and column", async () => {
  const bytes = await faulty("user-certificate", { payload: column(LABEL.userTerms, 0, "usd") });
  assert.match(messageOf("user-certificate", bytes), /\bterms\.currency: /);
});

test("a list as long as may be is read, one longer is not", async () => {
  const keys = (count: number) => (map: CborMap) => {
    const [first] = map.get(LABEL.trustedKeys) as CborValue[];
    map.set(
      LABEL.trustedKeys,
      Array.from({ length: count }, () => first ?? null),
    );
  };
  await takes("trust-list", keys(MAXIMUM_TRUST_LIST_ENTRIES), "the longest list");
  await refuses("trust-list", "MESSAGE_FIELD_INVALID", keys(MAXIMUM_TRUST_LIST_ENTRIES + 1), "one entry more");
});

test("the confirmation claim holds one key and nothing beside it", async () => {
  const beside = (map: CborMap) => {
    const claim = map.get(LABEL.confirmation);
    assert.ok(claim instanceof Map);
    claim.set(2, 0);
  };
  for (const name of ["user-certificate", "payee-certificate"] as const)
    await refuses(name, "MESSAGE_FIELD_INVALID", beside, "something beside the key");
});

test("what expires must begin before", async () => {
  for (const name of NAMES.filter((each) => !each.startsWith("call-"))) {
    if (!(await labelsOf(name)).includes(LABEL.expiresAt)) continue;
    const lasting = (seconds: number) => (map: CborMap) =>
      void map.set(LABEL.expiresAt, Number(map.get(LABEL.issuedAt)) + seconds);
    await refuses(name, "MESSAGE_INCONSISTENT", lasting(-1), "ends before");
    await refuses(name, "MESSAGE_INCONSISTENT", lasting(0), "ends at once");
    await takes(name, lasting(1), "lasts a second");
  }
});

test("a certificate's cap lies between one minor unit and its limit", async () => {
  const capAndLimit = (cap: number, limit: number) => (map: CborMap) => {
    column(LABEL.userTerms, 1, limit)(map);
    column(LABEL.userTerms, 2, cap)(map);
  };
  await takes("user-certificate", capAndLimit(1, 1), "cap = limit");
  await refuses("user-certificate", "MESSAGE_INCONSISTENT", capAndLimit(2, 1), "cap above limit");
  await refuses("user-certificate", "MESSAGE_INCONSISTENT", capAndLimit(0, 1), "cap of zero");
});

test("headers: a key id of the right length, no type unless the kind has one", async () => {
  const header = (...entries: [number, CborValue][]) => encodeCbor(new Map([[1, -7], ...entries]));
  const code = async (name: KindName, protectedBytes: Uint8Array): Promise<unknown> => {
    const bytes = await faulty(name, { protectedBytes });
    try {
      decode(name, bytes);
      return undefined;
    } catch (error) {
      return error instanceof CodedError ? error.code : error;
    }
  };
  const kid = new Uint8Array(16);
  assert.equal(await code("payment", header([4, kid])), undefined);
  assert.equal(await code("payment", header()), "MESSAGE_FIELD_MISSING");
  assert.equal(await code("payment", header([4, new Uint8Array(15)])), "MESSAGE_FIELD_INVALID");
  assert.equal(await code("payment", header([4, kid], [16, "application/statuslist+cwt"])), "MESSAGE_FIELD_INVALID");
  assert.equal(await code("status-list", header([4, new Uint8Array(4)])), "MESSAGE_FIELD_INVALID");
  assert.equal(await code("status-list", header([4, new Uint8Array(4)], [16, "other"])), "MESSAGE_FIELD_INVALID");
});

test("no kind reads more bytes than its bound", () => {
  for (const name of NAMES) {
    const { maximumBytes } = KINDS[name].kind;
    assert.throws(() => decode(name, new Uint8Array(maximumBytes + 1)), { code: "MESSAGE_TOO_LARGE" }, name);
    assert.throws(
      () => decode(name, new Uint8Array(maximumBytes)),
      (error) => error instanceof CodedError && error.code !== "MESSAGE_TOO_LARGE",
      name,
    );
  }
});
