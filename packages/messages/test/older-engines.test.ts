import assert from "node:assert/strict";
import { test } from "node:test";
import { CborCursor } from "@cairn/cose";
import { encodeBase45, type MessageId } from "@cairn/messages";

/** What is done by hand where an engine has no function for it, as many a phone's: the runtime of the tests has all of them. */
async function loadedWithout<Module>(owner: object, name: string, path: string): Promise<Module> {
  const had = Object.getOwnPropertyDescriptor(owner, name);
  const anew = `${new URL(path, import.meta.url).href}?without=${name}`;
  Reflect.deleteProperty(owner, name);
  try {
    return await import(anew);
  } finally {
    if (had !== undefined) Object.defineProperty(owner, name, had);
  }
}

const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);

test("hexadecimal text is the same where the engine does not write it", async () => {
  type Identifiers = typeof import("../src/identifiers.ts");
  const byHand = await loadedWithout<Identifiers>(Uint8Array.prototype, "toHex", "../src/identifiers.ts");
  const digits = Buffer.from(every).toString("hex");
  assert.equal(byHand.toHex(every), digits);
  assert.equal(byHand.toHex(new Uint8Array()), "");
  const cursor = new CborCursor(every, 40, 256);
  assert.equal(byHand.identifierBefore<MessageId>(cursor, 32), digits.slice(16, 80));
});

test("a code's text is the same where the engine has no TextDecoder", async () => {
  type Base45 = typeof import("../src/base45.ts");
  const byHand = await loadedWithout<Base45>(globalThis, "TextDecoder", "../src/base45.ts");
  for (const length of [0, 1, 2, 255, 2_730, 2_731, 2_732, 6_000]) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 7) & 0xff);
    assert.equal(byHand.encodeBase45(bytes), encodeBase45(bytes), `${length} bytes`);
  }
});
