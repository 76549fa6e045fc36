import { type CborMap, type CborValue, decodeCbor, decodeSign1, encodeCbor } from "@cairn/cose";
import { type Case, hex } from "../case.ts";
import { faulty, KINDS, type KindName } from "../world.ts";

/** Faults of fields: each message is genuine, signed over exactly what it says, and wrong in one place. */
const REQUIRED = "MESSAGE_FIELD_MISSING";
const UNKNOWN = "MESSAGE_FIELD_UNKNOWN";
const INVALID = "MESSAGE_FIELD_INVALID";
const INCONSISTENT = "MESSAGE_INCONSISTENT";
const KEY = "COSE_KEY_INVALID";
const LARGE = "MESSAGE_TOO_LARGE";

const OPTIONAL: { readonly [Kind in KindName]?: number } = { "payment-request": -4, "open-payment": 3 };
const NAMES: ReadonlyMap<number, string> = new Map([
  [2, "subject"],
  [3, "audience"],
  [4, "expiry"],
  [6, "issue time"],
  [7, "token id"],
  [8, "key"],
  [65_533, "status list"],
  [65_534, "time to live"],
  [-1, "amount"],
  [-2, "currency"],
  [-3, "nonce"],
  [-4, "order reference"],
  [-5, "sequence"],
  [-6, "running total"],
  [-7, "previous link"],
  [-8, "request"],
  [-9, "payment"],
  [-10, "content hash"],
  [-65_537, "terms"],
  [-65_538, "terms"],
  [-65_539, "keys"],
  [-65_540, "version"],
]);

async function invalid(
  kind: KindName,
  name: string,
  description: string,
  code: string,
  change: (map: CborMap) => void,
): Promise<Case> {
  const bytes = hex(await faulty(kind, { payload: change }));
  return { name: `decode/${kind}/${name}`, description, step: "decode", input: { kind, bytes }, expect: { code } };
}

function labelsOf(kind: KindName): number[] {
  const { sample, kind: its } = KINDS[kind];
  const map = decodeCbor(decodeSign1(sample.bytes, its.form).payload);
  if (!(map instanceof Map)) throw new TypeError("A payload is a map.");
  return [...map.keys()].map(Number);
}

/** Each field left out, and each of a type that no field has. */
async function everyField(kind: KindName): Promise<Case[]> {
  const cases: Case[] = [];
  for (const label of labelsOf(kind)) {
    const field = (NAMES.get(label) ?? "").replaceAll(" ", "-");
    const about = `${NAMES.get(label)} (label ${label})`;
    if (OPTIONAL[kind] !== label)
      cases.push(await invalid(kind, `no-${field}`, `Without its ${about}.`, REQUIRED, (map) => map.delete(label)));
    const typed = await invalid(kind, `${field}-type`, `Its ${about} is false.`, INVALID, (map) =>
      map.set(label, false),
    );
    cases.push(typed);
  }
  cases.push(await invalid(kind, "unknown-label", "With a further label.", UNKNOWN, (map) => map.set(99, 0)));
  return cases;
}

const zeros = (length: number): Uint8Array => new Uint8Array(length);
const set =
  (label: number, value: CborValue) =>
  (map: CborMap): void => {
    map.set(label, value);
  };
/** Changes one column of a row. */
const column =
  (label: number, index: number, value: CborValue) =>
  (map: CborMap): void => {
    const row = map.get(label);
    if (Array.isArray(row)) map.set(label, row.with(index, value));
  };
/** Changes one label of the COSE_Key in `cnf`. */
const keyLabel =
  (label: number, value: CborValue | undefined) =>
  (map: CborMap): void => {
    const confirmation = map.get(8);
    const key = confirmation instanceof Map ? confirmation.get(1) : undefined;
    if (!(key instanceof Map)) throw new TypeError("No key.");
    if (value === undefined) key.delete(label);
    else key.set(label, value);
  };
const trustedColumn =
  (index: number, value: CborValue) =>
  (map: CborMap): void => {
    const rows = map.get(-65_539);
    const first = Array.isArray(rows) ? rows[0] : undefined;
    if (Array.isArray(first)) map.set(-65_539, [first.with(index, value)]);
  };
const trustedKeyOf = (x: Uint8Array): CborMap =>
  new Map<number, CborValue>([
    [1, 2],
    [-1, 1],
    [-2, x],
    [-3, false],
  ]);
/** x = 1 belongs to no point of P-256. */
const OFF_CURVE = Uint8Array.from([...zeros(31), 1]);
const PRIME = Buffer.from("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff", "hex");

type Row = readonly [kind: KindName, name: string, description: string, code: string, change: (map: CborMap) => void];

const BOUNDS: readonly Row[] = [
  ["user-certificate", "text-label", "With a text label.", UNKNOWN, (map) => void map.set("x", 0)],
  [
    "user-certificate",
    "expires-at-issue",
    "It expires the second it begins.",
    INCONSISTENT,
    (map) => void map.set(4, map.get(6) ?? 0),
  ],
  [
    "user-certificate",
    "cap-above-limit",
    "One payment may be more than all together.",
    INCONSISTENT,
    column(-65_537, 2, 20_001),
  ],
  ["user-certificate", "cap-zero", "Nothing can be paid with it.", INCONSISTENT, column(-65_537, 2, 0)],
  ["user-certificate", "time-too-large", "A time of 2^32 seconds.", INVALID, set(4, 4_294_967_296)],
  ["user-certificate", "time-negative", "A time before 1970.", INVALID, set(6, -1)],
  ["user-certificate", "id-short", "An id of 15 bytes.", INVALID, set(7, zeros(15))],
  ["user-certificate", "id-long", "An id of 17 bytes.", INVALID, set(7, zeros(17))],
  ["user-certificate", "currency-lower-case", 'Currency "eur".', INVALID, column(-65_537, 0, "eur")],
  ["user-certificate", "currency-long", 'Currency "EURO".', INVALID, column(-65_537, 0, "EURO")],
  ["user-certificate", "currency-line-break", 'Currency "EUR" and a line break.', INVALID, column(-65_537, 0, "EUR\n")],
  ["user-certificate", "limit-negative", "A limit below zero.", INVALID, column(-65_537, 1, -1)],
  ["user-certificate", "protection-unknown", "Key protection 4.", INVALID, column(-65_537, 3, 4)],
  ["user-certificate", "status-index-too-large", "Status index 2^32.", INVALID, column(-65_537, 4, 4_294_967_296)],
  [
    "user-certificate",
    "terms-short",
    "A row of four.",
    INVALID,
    (map) => void map.set(-65_537, ["EUR", 20_000, 5_000, 2]),
  ],
  [
    "user-certificate",
    "terms-long",
    "A row of six.",
    INVALID,
    (map) => void map.set(-65_537, ["EUR", 20_000, 5_000, 2, 7, 0]),
  ],
  ["user-certificate", "cnf-empty", "`cnf` without a key.", INVALID, set(8, new Map())],
  [
    "user-certificate",
    "cnf-further-label",
    "`cnf` with a key id beside the key.",
    INVALID,
    (map) => {
      const confirmation = map.get(8);
      if (confirmation instanceof Map) confirmation.set(3, zeros(8));
    },
  ],
  ["user-certificate", "key-uncompressed", "The key's y in full instead of its sign.", KEY, keyLabel(-3, zeros(32))],
  ["user-certificate", "key-x-short", "The key's x of 31 bytes.", KEY, keyLabel(-2, zeros(31))],
  ["user-certificate", "key-x-prime", "The key's x is the field's prime.", KEY, keyLabel(-2, PRIME)],
  ["user-certificate", "key-other-curve", "A key of P-384.", KEY, keyLabel(-1, 2)],
  ["user-certificate", "key-other-type", "A key of type OKP.", KEY, keyLabel(1, 1)],
  ["user-certificate", "key-further-label", "The key names its algorithm.", KEY, keyLabel(3, -7)],
  ["user-certificate", "key-no-y", "The key without y.", KEY, keyLabel(-3, undefined)],
  [
    "payee-certificate",
    "expires-before-issue",
    "It expires before it begins.",
    INCONSISTENT,
    (map) => void map.set(4, Number(map.get(6)) - 1),
  ],
  ["payee-certificate", "payee-id-empty", "No character.", INVALID, set(2, "")],
  ["payee-certificate", "payee-id-long", "17 characters.", INVALID, set(2, "ABCDEFGH-01234567")],
  ["payee-certificate", "payee-id-lower-case", "Lower case.", INVALID, set(2, "kiosk")],
  ["payee-certificate", "name-empty", "A name of no byte.", INVALID, column(-65_538, 0, "")],
  ["payee-certificate", "name-long", "A name of 41 bytes.", INVALID, column(-65_538, 0, "n".repeat(41))],
  ["payee-certificate", "name-long-in-bytes", "21 characters, 42 bytes.", INVALID, column(-65_538, 0, "ü".repeat(21))],
  ["payee-certificate", "name-control", "A line break in the name.", INVALID, column(-65_538, 0, "Harbour\nKiosk")],
  [
    "payee-certificate",
    "name-direction",
    "An override of the writing direction.",
    INVALID,
    column(-65_538, 0, "Harbour\u202eksoiK"),
  ],
  ["payee-certificate", "name-invisible", "A space of no width.", INVALID, column(-65_538, 0, "Har\u200bbour")],
  [
    "payee-certificate",
    "name-private-use",
    "A character of private use.",
    INVALID,
    column(-65_538, 0, "Har\ue000bour"),
  ],
  [
    "payee-certificate",
    "name-decomposed",
    "Not in normal form C: u and a combining diaeresis.",
    INVALID,
    column(-65_538, 0, "u\u0308ber"),
  ],
  ["payee-certificate", "name-space-behind", "A space behind the name.", INVALID, column(-65_538, 0, "Harbour ")],
  [
    "payee-certificate",
    "name-wide-space",
    "An ideographic space before the name.",
    INVALID,
    column(-65_538, 0, "\u3000Harbour"),
  ],
  [
    "payment-request",
    "expires-at-issue",
    "It expires the second it is made.",
    INCONSISTENT,
    (map) => void map.set(4, map.get(6) ?? 0),
  ],
  ["payment-request", "nonce-short", "A nonce of 7 bytes.", INVALID, set(-3, zeros(7))],
  [
    "payment-request",
    "order-reference-empty",
    "An order reference of no byte: leave it out instead.",
    INVALID,
    set(-4, ""),
  ],
  ["payment-request", "order-reference-long", "33 bytes.", INVALID, set(-4, "n".repeat(33))],
  ["payment", "sequence-too-large", "Sequence 2^32.", INVALID, set(-5, 4_294_967_296)],
  ["payment", "sequence-negative", "Sequence -1.", INVALID, set(-5, -1)],
  ["payment", "amount-negative", "An amount below zero.", INVALID, set(-1, -1)],
  ["payment", "request-long", "The request's whole id instead of 16 bytes.", INVALID, set(-8, zeros(32))],
  ["payment", "previous-short", "A link of 7 bytes.", INVALID, set(-7, zeros(7))],
  ["payment", "expiry", "An open payment's expiry in a payment.", UNKNOWN, set(4, 1_800_000_055)],
  [
    "open-payment",
    "expires-at-issue",
    "It expires the second it is made.",
    INCONSISTENT,
    (map) => void map.set(4, map.get(6) ?? 0),
  ],
  ["open-payment", "audience-form", "An audience that is no payee id.", INVALID, set(3, "kiosk")],
  ["open-payment", "request", "A payment's request in an open payment.", UNKNOWN, set(-8, zeros(16))],
  ["capture", "payment-short", "A shortened payment id.", INVALID, set(-9, zeros(16))],
  ["void", "request-short", "A shortened request id.", INVALID, set(-8, zeros(16))],
  [
    "trust-list",
    "expires-at-issue",
    "It expires the second it is made.",
    INCONSISTENT,
    (map) => void map.set(4, map.get(6) ?? 0),
  ],
  ["trust-list", "version-too-large", "Version 2^32.", INVALID, set(-65_540, 4_294_967_296)],
  [
    "trust-list",
    "too-many-keys",
    "257 keys.",
    INVALID,
    (map) => {
      const rows = map.get(-65_539);
      const first = Array.isArray(rows) ? rows[0] : undefined;
      if (first !== undefined) map.set(-65_539, new Array<CborValue>(257).fill(first));
    },
  ],
  [
    "trust-list",
    "row-short",
    "A key without its uses.",
    INVALID,
    (map) => {
      const rows = map.get(-65_539);
      const first = Array.isArray(rows) ? rows[0] : undefined;
      if (Array.isArray(first)) map.set(-65_539, [first.slice(0, -1)]);
    },
  ],
  ["trust-list", "issuer-id-form", "An issuer id in capitals.", INVALID, trustedColumn(0, "BANK")],
  ["trust-list", "url-other-scheme", "An ftp URL.", INVALID, trustedColumn(2, "ftp://pay.example")],
  ["trust-list", "url-space", "A space in the URL.", INVALID, trustedColumn(2, "https://pay example")],
  ["trust-list", "url-long", "201 characters.", INVALID, trustedColumn(2, `https://${"a".repeat(193)}`)],
  ["trust-list", "no-uses", "A key for nothing.", INVALID, trustedColumn(6, 0)],
  ["trust-list", "unknown-use", "A use that does not exist.", INVALID, trustedColumn(6, 8)],
  ["trust-list", "key-off-curve", "The key's x belongs to no point.", KEY, trustedColumn(3, trustedKeyOf(OFF_CURVE))],
  [
    "status-list",
    "expires-at-issue",
    "It expires the second it is made.",
    INCONSISTENT,
    (map) => void map.set(4, map.get(6) ?? 0),
  ],
  ["status-list", "uri-form", "No URI.", INVALID, set(2, "status list")],
];

/** Raw zlib streams in the place of `lst`. */
const statusMap = (bits: CborValue, lst: CborValue): CborMap =>
  new Map<string, CborValue>([
    ["bits", bits],
    ["lst", lst],
  ]);
const IETF = Buffer.from("78dadbb918000217015d", "hex");

function statusRows(bomb: Uint8Array): readonly Row[] {
  const lst = (bytes: Uint8Array) => set(65_533, statusMap(1, bytes));
  return [
    ["status-list", "two-bits", "Two bits a certificate.", INVALID, set(65_533, statusMap(2, IETF))],
    ["status-list", "no-lst", "Without `lst`.", INVALID, set(65_533, new Map([["bits", 1]]))],
    [
      "status-list",
      "aggregation-uri",
      "With a further label in the list.",
      INVALID,
      (map) => {
        map.set(
          65_533,
          new Map<string, CborValue>([
            ["bits", 1],
            ["lst", IETF],
            ["aggregation_uri", "https://x.example"],
          ]),
        );
      },
    ],
    ["status-list", "lst-text", "`lst` as text.", INVALID, set(65_533, statusMap(1, "eNrbuRgAAhcBXQ"))],
    ["status-list", "not-zlib", "`lst` is not compressed.", INVALID, lst(Uint8Array.of(0xb9, 0xa3))],
    ["status-list", "zlib-cut-off", "The zlib stream lacks its last byte.", INVALID, lst(IETF.subarray(0, -1))],
    [
      "status-list",
      "zlib-checksum",
      "The zlib stream's checksum is wrong.",
      INVALID,
      lst(Uint8Array.from(IETF).with(-1, 0)),
    ],
    ["status-list", "zlib-trailing", "A byte behind the zlib stream.", INVALID, lst(Uint8Array.from([...IETF, 0]))],
    [
      "status-list",
      "zlib-inner-trailing",
      "A byte between the compressed data and its checksum.",
      INVALID,
      lst(Uint8Array.from([...IETF.subarray(0, -4), 0, ...IETF.subarray(-4)])),
    ],
    ["status-list", "bomb", "Inflates to one byte more than the bound of 8 MiB.", LARGE, lst(bomb)],
  ];
}

export async function decodeInvalid(bomb: Uint8Array): Promise<Case[]> {
  const cases: Case[] = [];
  const kinds = Object.keys(KINDS) as KindName[];
  // The four kinds of call differ in their context alone.
  for (const kind of kinds.filter((each) => !each.startsWith("call-") || each === "call-upload"))
    cases.push(...(await everyField(kind)));
  for (const row of [...BOUNDS, ...statusRows(bomb)]) cases.push(await invalid(...row));
  cases.push(...(await keyIds()), ...(await payloads()));
  return cases;
}

const protectedOf = (labels: readonly (readonly [number, CborValue])[]): Uint8Array => encodeCbor(new Map(labels));

async function keyIds(): Promise<Case[]> {
  const row = async (kind: KindName, name: string, description: string, code: string, keyId?: Uint8Array) => {
    const type: [number, CborValue][] = kind === "status-list" ? [[16, "application/statuslist+cwt"]] : [];
    const kid: [number, CborValue][] = keyId === undefined ? [] : [[4, keyId]];
    const protectedBytes = protectedOf([[1, -7], ...kid, ...type]);
    const bytes = hex(await faulty(kind, { protectedBytes }));
    return {
      name: `decode/${kind}/${name}`,
      description,
      step: "decode",
      input: { kind, bytes },
      expect: { code },
    } as const;
  };
  const cases: Case[] = [];
  for (const kind of [
    "user-certificate",
    "payment-request",
    "payment",
    "trust-list",
    "status-list",
    "call-sync",
  ] as const) {
    cases.push(await row(kind, "no-kid", "Without `kid`.", REQUIRED));
    cases.push(await row(kind, "kid-length", "A `kid` of 5 bytes.", INVALID, zeros(5)));
  }
  return cases;
}

async function payloads(): Promise<Case[]> {
  const of = async (kind: KindName, name: string, description: string, code: string, payloadBytes: Uint8Array) => {
    const bytes = hex(await faulty(kind, { payloadBytes }));
    return {
      name: `decode/${kind}/${name}`,
      description,
      step: "decode",
      input: { kind, bytes },
      expect: { code },
    } as const;
  };
  return [
    await of("payment", "payload-array", "The payload is an array.", INVALID, encodeCbor([])),
    await of("payment", "payload-integer", "The payload is an integer.", INVALID, encodeCbor(0)),
    await of("payment", "payload-empty-map", "The payload holds nothing.", REQUIRED, encodeCbor(new Map())),
    await of("payment", "too-large", "One byte more than any message but a list may have.", LARGE, largePayload()),
  ];
}

/** Makes a message of 2,049 bytes: 2 + 21 + 1 + 3 + 66 bytes stand around the payload. */
function largePayload(): Uint8Array {
  const frame = 1 + 2 + 21 + 1 + 3 + 66 - 1;
  return encodeCbor(zeros(2_049 - frame - 3));
}
