import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "./support/issuer.ts";
import { makeWorld } from "./support/world.ts";

for (const decision of ["release", "reject"] as const)
  test(`a held payment is listed until a person says ${decision}; said again nothing more happens`, async (t) => {
    const { wallet, terminal, operator, clock } = await makeWorld(t);
    await wallet.sync();
    const request = await terminal.request(500n);
    const { messageId, ...payment } = await wallet.pay(request);
    const record = terminal.record(request, wallet.held(), { messageId, ...payment });
    clock.now += 90 * 86_400;
    await terminal.client.upload([record]);
    const held = await eventually(async () => (await operator.heldPayments())[0]);
    assert.deepEqual([held.paymentId, held.code], [messageId, "UPLOAD_TOO_LATE"]);

    const review = { decision, reason: "the till was broken" };
    const expected = decision === "release" ? ["settled", null, 500n] : ["refused", "REJECTED_IN_REVIEW", 0n];
    for (let round = 0; round < 2; round++) {
      const { state, code, takenMinor } = await operator.review(messageId, review);
      assert.deepEqual([state, code, takenMinor], expected);
    }
    assert.deepEqual(await operator.heldPayments(), []);
    await terminal.client.upload([record]);
    const [seen] = (await terminal.client.outcomes([messageId])).payments;
    assert.deepEqual([seen?.state, seen?.code, seen?.takenMinor], expected);
    const clearing = (await operator.trialBalance()).find(({ ledgerAccount }) => ledgerAccount.startsWith("clearing:"));
    assert.equal(clearing?.minor ?? 0n, decision === "release" ? -500n : 0n);
    assert.deepEqual((await operator.verifyBooks()).faults, []);
  });
