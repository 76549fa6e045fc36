import type { SeededBug } from "../bug.ts";

/** Of what reads bytes from outside. */
export const byteBugs: readonly SeededBug[] = [
  {
    name: "longer-than-needed",
    says: "The decoder takes integers and lengths in more bytes than they need: one message, two encodings.",
    breaks: 7,
    search: "fuzzing",
    edits: [
      {
        file: "packages/cose/src/cbor-cursor.ts",
        find: "  if (argument < least)\n",
        replace: "  if (argument < 0 * least)\n",
      },
    ],
  },
  {
    name: "repeated-key",
    says: "The decoder takes a map with a key twice, and the last one counts.",
    breaks: 7,
    search: "fuzzing",
    edits: [
      {
        file: "packages/cose/src/cbor-decode.ts",
        find: 'throw new CborError("CBOR_DUPLICATE_KEY", "A map key is repeated.", keyStart);',
        replace: "",
      },
    ],
  },
  {
    name: "claims-believed",
    says: "An array is made as long as it says, whatever is left of the input.",
    breaks: 7,
    search: "bytes at random",
    edits: [
      {
        file: "packages/cose/src/cbor-decode.ts",
        find: "  if (items > reader.end - reader.position) {\n",
        replace: "  if (items > 2 ** 60) {\n",
      },
      {
        file: "packages/cose/src/cbor-decode.ts",
        find: "const items: CborValue[] = [];\n  for (let count = 0; count < length; count += 1) items.push(",
        replace:
          "const items = new Array<CborValue>(length);\n  items.length = 0;\n  for (let count = 0; count < length; count += 1) items.push(",
      },
    ],
  },
  {
    name: "base45-overflow",
    says: "Three characters may say more than two bytes can hold.",
    breaks: 7,
    search: "fuzzing",
    edits: [
      {
        file: "packages/messages/src/base45.ts",
        find: "if (number > (whole ? 0xffff : 0xff))",
        replace: "if (number > 0xffff)",
      },
    ],
  },
  {
    name: "identity-with-signature",
    says: "A message's identity depends on its signature, of which anybody can make a second one.",
    breaks: 2,
    search: "every field at its bounds, every vector",
    edits: [
      {
        file: "packages/messages/src/message.ts",
        find: "messageIdOf(this.#signed(SCRATCH), this.#crypto)",
        replace: "messageIdOf(this.bytes, this.#crypto)",
      },
    ],
  },
  {
    name: "bomb-inflated",
    says: "The bound on an inflated list is looked at when all of it is inflated.",
    breaks: 7,
    search: "every field at its bounds, every vector",
    edits: [
      {
        file: "packages/messages/src/inflate.ts",
        find: 'if (needed > stream.maximumBytes) throw new MessageError("MESSAGE_TOO_LARGE", "inflated");',
        replace: "",
      },
      {
        file: "packages/messages/src/inflate.ts",
        find: "Math.min(Math.max(needed, stream.output.length * 2), stream.maximumBytes)",
        replace: "Math.max(needed, stream.output.length * 2)",
      },
    ],
  },
];
