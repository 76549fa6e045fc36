import { type CborValue, encodeCbor } from "@cairn/cose";
import { type Case, hex } from "../case.ts";
import { faulty, KINDS, type KindName } from "../world.ts";

/** Faults of CBOR and COSE underneath a message. Signatures are genuine over whatever the payload is. */
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

const of = (kind: KindName, name: string, description: string, code: string, bytes: Uint8Array): Case => ({
  name: `encoding/${name}`,
  description,
  step: "decode",
  input: { kind, bytes: hex(bytes) },
  expect: { code },
});

/** Payloads of a closing, written by hand: {6: time, -5: sequence, -6: total, -7: link}. */
const TIME = "06 1a 6b49d23c";
const SEQUENCE = "24 01";
const SPENT = "25 19 0539";
const LINK = "26 48 c101020304050607";
const payload = (...parts: string[]): Uint8Array => bytesOf(["a4", ...parts].join(""));

type Row = readonly [name: string, description: string, code: string, payload: Uint8Array];
const PAYLOADS: readonly Row[] = [
  ["integer-too-long", "Sequence 1 in two bytes.", "CBOR_NON_MINIMAL", payload(TIME, "24 1801", SPENT, LINK)],
  [
    "integer-nine-bytes",
    "The time in nine bytes.",
    "CBOR_NON_MINIMAL",
    payload("06 1b000000006b49d23c", SEQUENCE, SPENT, LINK),
  ],
  [
    "length-too-long",
    "The link's length in two bytes.",
    "CBOR_NON_MINIMAL",
    payload(TIME, SEQUENCE, SPENT, "26 5808 c101020304050607"),
  ],
  [
    "map-length-too-long",
    "The map's length in two bytes.",
    "CBOR_NON_MINIMAL",
    bytesOf(`b804${TIME}${SEQUENCE}${SPENT}${LINK}`),
  ],
  ["key-too-long", "A label in two bytes.", "CBOR_NON_MINIMAL", payload("1806 1a 6b49d23c", SEQUENCE, SPENT, LINK)],
  ["keys-unsorted", "Two fields exchanged.", "CBOR_UNSORTED_KEYS", payload(TIME, SPENT, SEQUENCE, LINK)],
  [
    "keys-by-value",
    "Labels in the order of their numbers, -7 first.",
    "CBOR_UNSORTED_KEYS",
    payload(LINK, SPENT, SEQUENCE, TIME),
  ],
  ["key-repeated", "The time twice.", "CBOR_DUPLICATE_KEY", payload(TIME, TIME, SEQUENCE, SPENT)],
  [
    "payload-trailing",
    "A byte behind the map.",
    "CBOR_TRAILING_BYTES",
    bytesOf(`a4${TIME}${SEQUENCE}${SPENT}${LINK}00`),
  ],
  ["payload-empty", "No payload at all.", "CBOR_TRUNCATED", new Uint8Array()],
  [
    "payload-cut-off",
    "The map ends before its last value.",
    "CBOR_TRUNCATED",
    bytesOf(`a4${TIME}${SEQUENCE}${SPENT}26`),
  ],
  [
    "argument-cut-off",
    "An integer ends inside its bytes.",
    "CBOR_TRUNCATED",
    bytesOf(`a4${TIME}${SEQUENCE}${SPENT}261a00`),
  ],
  [
    "string-beyond-end",
    "The link claims more bytes than are left.",
    "CBOR_TOO_LONG",
    payload(TIME, SEQUENCE, SPENT, "26 49 c101020304050607"),
  ],
  [
    "array-beyond-end",
    "An array claims 2^32-1 entries.",
    "CBOR_TOO_LONG",
    payload(TIME, SEQUENCE, SPENT, "26 9affffffff"),
  ],
  ["map-beyond-end", "A map claims 2^53 entries.", "CBOR_TOO_LONG", bytesOf("bb0020000000000000")],
  [
    "indefinite-map",
    "A map of indefinite length.",
    "CBOR_UNSUPPORTED",
    bytesOf(`bf${TIME}${SEQUENCE}${SPENT}${LINK}ff`),
  ],
  [
    "indefinite-bytes",
    "A byte string in pieces.",
    "CBOR_UNSUPPORTED",
    payload(TIME, SEQUENCE, SPENT, "26 5f 44c1010203 4404050607 ff"),
  ],
  [
    "float",
    "The time as a floating-point number.",
    "CBOR_UNSUPPORTED",
    payload("06 fb41dad2748f000000", SEQUENCE, SPENT, LINK),
  ],
  ["half-float", "The sequence as 1.0.", "CBOR_UNSUPPORTED", payload(TIME, "24 f93c00", SPENT, LINK)],
  ["tagged-time", "The time with tag 1.", "CBOR_UNSUPPORTED", payload("06 c1 1a6b49d23c", SEQUENCE, SPENT, LINK)],
  ["bignum", "The total as a big number.", "CBOR_UNSUPPORTED", payload(TIME, SEQUENCE, "25 c2 420539", LINK)],
  ["undefined", "A value of undefined.", "CBOR_UNSUPPORTED", payload(TIME, SEQUENCE, SPENT, "26 f7")],
  ["simple-value", "Simple value 16.", "CBOR_UNSUPPORTED", payload(TIME, SEQUENCE, SPENT, "26 f0")],
  ["reserved-length", "Additional information 28.", "CBOR_UNSUPPORTED", payload(TIME, SEQUENCE, SPENT, "26 1c")],
  ["bytes-key", "A label that is a byte string.", "CBOR_UNSUPPORTED", payload(TIME, SEQUENCE, SPENT, "41 26 00")],
  ["boolean-key", "A label that is a boolean.", "CBOR_UNSUPPORTED", payload(TIME, SEQUENCE, SPENT, "f4 00")],
  [
    "integer-too-large",
    "A total of 2^53.",
    "CBOR_INTEGER_RANGE",
    payload(TIME, SEQUENCE, "25 1b0020000000000000", LINK),
  ],
  [
    "integer-too-small",
    "A total of -2^53.",
    "CBOR_INTEGER_RANGE",
    payload(TIME, SEQUENCE, "25 3b001fffffffffffff", LINK),
  ],
  [
    "integer-largest",
    "A total of 2^64-1.",
    "CBOR_INTEGER_RANGE",
    payload(TIME, SEQUENCE, "25 1bffffffffffffffff", LINK),
  ],
  ["too-deep", "Nine arrays in one another.", "CBOR_TOO_DEEP", bytesOf("818181818181818181 00")],
  ["invalid-utf8", "Text that is no UTF-8.", "CBOR_INVALID_UTF8", payload(TIME, SEQUENCE, SPENT, "26 62 c328")],
  [
    "overlong-utf8",
    "A slash in two bytes of UTF-8.",
    "CBOR_INVALID_UTF8",
    payload(TIME, SEQUENCE, SPENT, "26 62 c0af"),
  ],
  [
    "surrogate-utf8",
    "Half a surrogate pair in UTF-8.",
    "CBOR_INVALID_UTF8",
    payload(TIME, SEQUENCE, SPENT, "26 63 eda080"),
  ],
];

const labels = (...entries: readonly (readonly [number, CborValue])[]): Uint8Array => encodeCbor(new Map(entries));
const KID = Uint8Array.from([0xc1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
const PROTECTED: readonly Row[] = [
  ["algorithm-es384", "Algorithm ES384.", "COSE_ALGORITHM", labels([1, -35], [4, KID])],
  ["algorithm-eddsa", "Algorithm EdDSA.", "COSE_ALGORITHM", labels([1, -8], [4, KID])],
  ["algorithm-hmac", "Algorithm HMAC 256/256.", "COSE_ALGORITHM", labels([1, 5], [4, KID])],
  ["algorithm-text", 'Algorithm "ES256" as text.', "COSE_ALGORITHM", labels([1, "ES256"], [4, KID])],
  ["algorithm-missing", "No algorithm.", "COSE_ALGORITHM", labels([4, KID])],
  ["headers-empty", "An empty protected header, as no bytes.", "COSE_ALGORITHM", new Uint8Array()],
  ["header-crit", "A critical header.", "COSE_HEADER", labels([1, -7], [2, [4]], [4, KID])],
  ["header-content-type", "A content type.", "COSE_HEADER", labels([1, -7], [3, 60], [4, KID])],
  ["header-kid-text", "A `kid` of text.", "COSE_HEADER", labels([1, -7], [4, "kid"])],
  ["header-typ-integer", "A `typ` that is an integer.", "COSE_HEADER", labels([1, -7], [4, KID], [16, 0])],
  [
    "header-typ",
    "A `typ` on a message that has none.",
    "MESSAGE_FIELD_INVALID",
    labels([1, -7], [4, KID], [16, "application/cwt"]),
  ],
  ["headers-array", "The protected header is an array.", "COSE_MALFORMED", encodeCbor([])],
  [
    "headers-non-minimal",
    "The protected header's algorithm in two bytes.",
    "CBOR_NON_MINIMAL",
    bytesOf(`a2 01 3806 04 50 ${hex(KID)}`),
  ],
  ["headers-repeated", "The algorithm twice.", "CBOR_DUPLICATE_KEY", bytesOf("a2 01 26 01 26")],
  [
    "headers-trailing",
    "A byte behind the protected header.",
    "CBOR_TRAILING_BYTES",
    bytesOf(`a2 01 26 04 50 ${hex(KID)} 00`),
  ],
];

type Parts = (parts: CborValue[]) => Uint8Array;
const MESSAGES: readonly (readonly [name: string, description: string, code: string, message: Parts])[] = [
  ["three-parts", "Without a signature.", "COSE_MALFORMED", (parts) => encodeCbor(parts.slice(0, 3))],
  ["five-parts", "With a part too many.", "COSE_MALFORMED", (parts) => encodeCbor([...parts, 0])],
  ["not-an-array", "A map.", "COSE_MALFORMED", () => encodeCbor(new Map())],
  ["payload-detached", "A detached payload.", "COSE_MALFORMED", (parts) => encodeCbor(parts.with(2, null))],
  [
    "protected-map",
    "A protected header that is not wrapped.",
    "COSE_MALFORMED",
    (parts) => encodeCbor(parts.with(0, new Map([[1, -7]]))),
  ],
  [
    "unprotected-array",
    "An unprotected header that is no map.",
    "COSE_MALFORMED",
    (parts) => encodeCbor(parts.with(1, [])),
  ],
  [
    "signature-short",
    "A signature of 63 bytes.",
    "COSE_MALFORMED",
    (parts) => encodeCbor(parts.with(3, new Uint8Array(63))),
  ],
  [
    "signature-der",
    "A signature of 70 bytes, as DER has it.",
    "COSE_MALFORMED",
    (parts) => encodeCbor(parts.with(3, new Uint8Array(70))),
  ],
  ["signature-text", "A signature of text.", "COSE_MALFORMED", (parts) => encodeCbor(parts.with(3, "signature"))],
  [
    "tagged",
    "Tag 18, which only a status list carries.",
    "COSE_MALFORMED",
    (parts) => Uint8Array.from([0xd2, ...encodeCbor(parts)]),
  ],
  ["tagged-cwt", "Tag 61 (CWT).", "CBOR_UNSUPPORTED", (parts) => Uint8Array.from([0xd8, 0x3d, ...encodeCbor(parts)])],
  [
    "unprotected-kid",
    "A header that is not protected.",
    "COSE_HEADER",
    (parts) => encodeCbor(parts.with(1, new Map([[4, KID]]))),
  ],
  [
    "trailing",
    "A byte behind the message.",
    "CBOR_TRAILING_BYTES",
    (parts) => Uint8Array.from([...encodeCbor(parts), 0]),
  ],
  ["cut-off", "Without the message's last byte.", "CBOR_TOO_LONG", (parts) => encodeCbor(parts).slice(0, -1)],
  ["empty", "Nothing.", "CBOR_TRUNCATED", () => new Uint8Array()],
  [
    "array-indefinite",
    "An array of indefinite length.",
    "CBOR_UNSUPPORTED",
    (parts) => Uint8Array.from([0x9f, ...encodeCbor(parts).slice(1), 0xff]),
  ],
];

export async function encodingInvalid(): Promise<Case[]> {
  const cases: Case[] = [];
  for (const [name, description, code, payloadBytes] of PAYLOADS)
    cases.push(of("closing", name, description, code, await faulty("closing", { payloadBytes })));
  for (const [name, description, code, protectedBytes] of PROTECTED)
    cases.push(of("closing", name, description, code, await faulty("closing", { protectedBytes })));
  for (const [name, description, code, message] of MESSAGES)
    cases.push(of("closing", name, description, code, await faulty("closing", { message })));
  const untagged: Parts = (parts) => encodeCbor(parts);
  const status = [
    of(
      "status-list",
      "status-list-untagged",
      "A status list without tag 18.",
      "COSE_MALFORMED",
      await faulty("status-list", { message: untagged }),
    ),
    of(
      "status-list",
      "status-list-no-typ",
      "A status list without `typ`.",
      "MESSAGE_FIELD_INVALID",
      await faulty("status-list", {
        protectedBytes: labels([1, -7], [4, KINDS["status-list"].kind.keyIdOf(KINDS["status-list"].sample.content)]),
      }),
    ),
    of(
      "trust-list",
      "too-many-arrays",
      "10,001 arrays and maps in one item.",
      "CBOR_TOO_LONG",
      await faulty("trust-list", { payloadBytes: manyArrays() }),
    ),
  ];
  return [...cases, ...status];
}

/** An array of 10,000 empty arrays, by hand, since the encoder refuses it as the decoders do. */
function manyArrays(): Uint8Array {
  return Uint8Array.from([0x99, 10_000 >> 8, 10_000 & 0xff, ...new Uint8Array(10_000).fill(0x80)]);
}
