import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageId } from "@cairn/messages";
import { askRefund, giveBack } from "../src/session/refund.ts";
import { readRefundNotes, refundsBetween } from "../src/session/refund-notes.ts";

const paymentId = "ab".repeat(32) as MessageId;

/** An issuer that gives back 10.00 at most, once for each key, and may lose its answers. */
function till() {
  const given = new Map<string, bigint>();
  let isDeaf = false;
  const held = new Map<string, string>();
  const settings = {
    getItem: (key: string) => held.get(key) ?? null,
    flushed: async () => undefined,
    setItem: (key: string, value: string) => void held.set(key, value),
  };
  const calls = {
    refund: async ({ amountMinor, key }: { readonly amountMinor: bigint; readonly key: string }) => {
      const repeated = given.has(key);
      if (amountMinor > 0n) given.set(key, amountMinor);
      const refundedMinor = [...given.values()].reduce((sum, each) => sum + each, 0n);
      if (isDeaf) throw new Error("The answer was lost.");
      return { takenMinor: 1_000n, refundedMinor, waitingMinor: 0n, repeated };
    },
  };
  const ports = { calls, settings, nowMs: () => 5_000 };
  return {
    ports,
    given,
    lose: (value: boolean) => {
      isDeaf = value;
    },
  };
}

test("a refund whose answer is lost is found again, and never given twice", async () => {
  const { ports, given, lose } = till();
  lose(true);
  await assert.rejects(giveBack({ paymentId, amountMinor: 400n, beforeMinor: 0n }, ports));
  assert.equal(refundsBetween(ports.settings, { from: 0, until: 10 }).length, 0, "nobody knows yet");
  lose(false);
  assert.equal((await askRefund(paymentId, ports)).refundedMinor, 400n);
  assert.deepEqual(
    refundsBetween(ports.settings, { from: 0, until: 10 }).map(({ amountMinor }) => amountMinor),
    ["400"],
  );
  await giveBack({ paymentId, amountMinor: 400n, beforeMinor: 0n }, ports);
  assert.deepEqual([...given.values()], [400n], "the same order is one refund");
  await giveBack({ paymentId, amountMinor: 100n, beforeMinor: 400n }, ports);
  assert.equal(refundsBetween(ports.settings, { from: 5, until: 6 }).length, 2);
  assert.equal(refundsBetween(ports.settings, { from: 6, until: 9 }).length, 0);
});

test("notes that cannot be read are none, and keep nobody from giving back", () => {
  for (const text of ["", "{}", "[1]", "not JSON", '[{"paymentId":"x"}]'])
    assert.deepEqual(
      readRefundNotes({ getItem: () => text, setItem: () => undefined, flushed: async () => undefined }),
      [],
    );
});
