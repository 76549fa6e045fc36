import assert from "node:assert/strict";
import { test } from "node:test";
import { openIndexedDbTerminalJournal, openIndexedDbWalletStore } from "@cairn/stores/browser";
import { accept, acceptance, SETUP } from "../terminal-journal.suite.ts";
import { added, aPayment, CERTIFICATE, ENROLLED, readAll, signed, writeAll } from "../wallet-records.ts";

export function testReopening(fresh: () => string): void {
  test("wallet in IndexedDB: is the same when it is opened again, and two that are open see each other", async () => {
    const name = fresh();
    const first = await openIndexedDbWalletStore(name);
    await writeAll(first, ENROLLED, CERTIFICATE, added(aPayment()), signed());
    const before = await readAll(first);
    await first.close();
    const [left, right] = [await openIndexedDbWalletStore(name), await openIndexedDbWalletStore(name)];
    assert.deepEqual(await readAll(left), before);
    await writeAll(right, { kind: "newest-seen", newestSeen: 999 });
    assert.equal((await readAll(left)).identity?.newestSeen, 999);
    await Promise.all([left.close(), right.close()]);
  });

  test("journal in IndexedDB: is the same when it is opened again", async () => {
    const name = fresh();
    const first = await openIndexedDbTerminalJournal(name);
    await first.replaceSetup(SETUP, 0);
    await accept(first, acceptance(1), 50);
    await first.close();
    const again = await openIndexedDbTerminalJournal(name);
    assert.deepEqual(await again.acceptance(acceptance(1).paymentId), acceptance(1));
    assert.deepEqual(await again.stored(), { count: 1, totalMinor: 80n });
    assert.deepEqual(await again.marks(), { setupRevision: 1, issuerTime: 50 });
    await again.close();
  });
}
