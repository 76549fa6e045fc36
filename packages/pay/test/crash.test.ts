import assert from "node:assert/strict";
import { test } from "node:test";
import { amount } from "@cairn/messages";
import {
  acceptEnrolment,
  acceptReceipt,
  acceptVoid,
  applySyncAnswer,
  buildSync,
  payOpen,
  type StoredWallet,
  type WalletPorts,
} from "../src/index.ts";
import { expectKind, mustPay, mustReview, paymentIn } from "./steps.ts";
import { assertHonest, Crash, type CrashPoint, snapshot, watch } from "./watched.ts";
import {
  anEnrolmentAnswer,
  aSyncAnswer,
  aTill,
  aUserCertificate,
  certificateId,
  EUR,
  holding,
  portsOn,
  type World,
} from "./world.ts";

const till = await aTill();

type Flow<Result> = (ports: WalletPorts) => Promise<Result>;

/**
 * Runs a flow with a crash before and after each of its port calls, each time in a new world, then once more without
 * one, as a user does who types the command again.
 */
async function crashEverywhere<Result>(
  prepare: () => Promise<{ readonly world: World; readonly flow: Flow<Result> }>,
  check: (after: {
    readonly result: Result;
    readonly wallet: StoredWallet;
    readonly before: StoredWallet;
    readonly point: CrashPoint;
  }) => void,
): Promise<number> {
  let points = 0;
  for (let at = 1; ; at++) {
    for (const when of ["before", "after"] as const) {
      const { world, flow } = await prepare();
      const crashing = watch(world.ports, { crash: { at, when } });
      try {
        await flow(crashing.ports);
        return points;
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
      points++;
      const before = await snapshot(world.ports.store);
      const resumed = watch(world.ports, { signed: crashing.signed });
      const result = await flow(resumed.ports);
      const wallet = await snapshot(world.ports.store);
      assertHonest(wallet, resumed.signed);
      check({ result, wallet, before, point: { at, when } });
    }
  }
}

test("a crash anywhere while paying leaves exactly one payment, and the same call shows it", async () => {
  const points = await crashEverywhere(
    async () => {
      const world = await holding();
      const code = await till.charge();
      return { world, flow: (ports) => mustPay(ports, code) };
    },
    ({ result, wallet, before }) => {
      assert.equal(wallet.payments.length, 1);
      assert.equal(paymentIn(result.codeText).messageId, wallet.payments[0]?.paymentId);
      for (const { paymentId } of before.payments) assert.equal(result.paymentId, paymentId);
      assert.equal(wallet.payments[0]?.shown, true);
    },
  );
  assert.ok(points >= 8, `${points} crashes`);
});

test("an open payment interrupted before it was shown is taken up; one that may have been seen is not shown as new", async () => {
  const outcomes = new Set<string>();
  await crashEverywhere(
    async () => ({
      world: await holding(),
      flow: async (ports) => expectKind(await payOpen(ports, { maximum: amount(800n, EUR) }), "shown"),
    }),
    ({ result, wallet, before }) => {
      const [interrupted] = before.payments;
      const isTakenUp = interrupted !== undefined && !interrupted.shown;
      if (isTakenUp) assert.equal(result.paymentId, interrupted.paymentId);
      else if (interrupted !== undefined) assert.notEqual(result.paymentId, interrupted.paymentId);
      assert.equal(wallet.payments.length, interrupted?.shown ? 2 : 1);
      outcomes.add(interrupted === undefined ? "none" : isTakenUp ? "taken up" : "left");
    },
  );
  assert.deepEqual([...outcomes].sort(), ["left", "none", "taken up"]);
});

test("a crash anywhere while a sync is made ready leaves one closing, and every payment in the sync", async () => {
  const points = await crashEverywhere(
    async () => {
      const world = await holding();
      await mustPay(world.ports, await till.charge());
      // This one is durable and was never signed.
      const code = await till.charge();
      const interrupted = watch(world.ports, { crash: { at: 2, when: "after" } });
      await assert.rejects(mustPay(interrupted.ports, code), Crash);
      return { world, flow: (ports) => buildSync(ports, { closeAll: true }) };
    },
    ({ result, wallet, before }) => {
      assert.deepEqual(
        result.entries.map(({ kind }) => kind),
        ["closing", "payment", "payment"],
      );
      const [closed] = before.certificates.map(({ closing }) => closing?.draft);
      if (closed !== undefined) assert.deepEqual(wallet.certificates[0]?.closing?.draft, closed);
    },
  );
  assert.ok(points >= 10, `${points} crashes`);
});

test("enrolment, answers, receipts and voids are taken once, whatever is cut short", async () => {
  const enrolment = await anEnrolmentAnswer();
  await crashEverywhere(
    async () => ({ world: portsOn(), flow: (ports) => acceptEnrolment(ports, enrolment) }),
    ({ result, wallet }) => {
      expectKind(result, "enrolled");
      assert.deepEqual(wallet.identity?.rootKey, enrolment.rootKey);
    },
  );
  await crashEverywhere(
    async () => {
      const world = await holding();
      const { paymentId } = await mustPay(world.ports, await till.charge());
      const receipt = await till.receiptFor(paymentId, 1_250n);
      return { world, flow: (ports) => acceptReceipt(ports, receipt) };
    },
    ({ wallet }) => assert.ok(wallet.payments[0]?.receipt !== undefined),
  );
  await crashEverywhere(
    async () => {
      const world = await holding();
      const code = await till.charge();
      const { requestId } = await mustReview(world.ports, code);
      await mustPay(world.ports, code);
      const requestVoid = await till.voidOf(requestId);
      return { world, flow: (ports) => acceptVoid(ports, requestVoid) };
    },
    ({ wallet }) => assert.ok(wallet.payments[0]?.requestVoid !== undefined),
  );
  await crashEverywhere(
    async () => {
      const world = await holding();
      const { entries } = await buildSync(world.ports, { closeAll: true });
      const fresh = await aUserCertificate(world.ports.signer.publicKey, { certificateId: certificateId(2) });
      const records = [{ index: 0, state: "received", code: null, sentence: null } as const];
      const answer = await aSyncAnswer({ certificate: fresh.bytes, records });
      return { world, flow: (ports) => applySyncAnswer(ports, { answer, entries }) };
    },
    ({ result, wallet }) => {
      assert.deepEqual(result.refusals, []);
      assert.deepEqual(
        wallet.certificates.map(({ closing }) => closing?.delivered),
        [true, undefined],
      );
    },
  );
});
