import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordAnswer, Terminal, TerminalPorts } from "@cairn/collect";
import { openTerminal } from "@cairn/collect";
import { MemoryTerminalJournal } from "@cairn/stores";
import { codeOf, eur, makeIssuer, makePayer, makeTerminal, NOW } from "./world.ts";

/** The end of a process: whoever called never hears more. */
class Crash extends Error {}

/** Counts the calls to every port with an effect, and ends the process right before or right after the chosen one. */
function crashingPorts(ports: TerminalPorts, at: { readonly call: number; readonly when: "before" | "after" }) {
  let calls = 0;
  const wrap = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get(target, name) {
        const member = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return async (...input: unknown[]) => {
          const isChosen = ++calls === at.call;
          if (isChosen && at.when === "before") throw new Crash(String(name));
          const result = await Reflect.apply(member, target, input);
          if (isChosen) throw new Crash(String(name));
          return result;
        };
      },
    });
  return { ports: { ...ports, journal: wrap(ports.journal), signer: wrap(ports.signer) }, calls: () => calls };
}

const issuer = makeIssuer();

/**
 * A day at a terminal, every step of which a cashier simply repeats on a terminal opened anew after a crash. Gives the
 * number of calls that were made, so that a first run tells where there is to crash.
 */
async function day(crash: { call: number; when: "before" | "after" }): Promise<number> {
  const journal = new MemoryTerminalJournal();
  const { ports, enrolment } = await makeTerminal(issuer);
  const crashing = crashingPorts({ ...ports, journal }, crash);
  let terminal: Terminal = openTerminal(crashing.ports);
  let crashes = 0;

  async function step<Result>(work: (on: Terminal) => Promise<Result>): Promise<Result> {
    try {
      return await work(terminal);
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      crashes++;
      terminal = openTerminal({ ...ports, journal });
      return work(terminal);
    }
  }
  const charge = () =>
    step(async (on) => {
      const outcome = await on.charge({ amount: eur(100n) });
      assert.ok(outcome.kind === "requested");
      return outcome;
    });

  const payer = await makePayer(issuer);
  assert.equal(codeOf(await step((on) => on.enrol(enrolment))), "enrolled");
  const asked = await charge();
  const paid = await payer.pay(asked.codeText);
  const before = crashes;
  const accepted = await step((on) => on.accept(paid.codeText));
  if (accepted.kind === "refused") {
    assert.equal(accepted.refusal.code, "PAYMENT_REPLAYED");
    assert.equal(crashes, before + 1, "only a crash makes the cashier show a payment again");
    assert.equal(accepted.earlier?.paymentId, paid.signed.messageId);
  }
  assert.match(await step((on) => on.receiptCode(paid.signed.messageId)), /^CAIRN:1T/);

  const open = await payer.payOpen(500n);
  const openOutcome = await step((on) => on.acceptOpen(open.codeText));
  assert.match(codeOf(openOutcome), /^(accepted|PAYMENT_REPLAYED)$/);
  assert.equal(codeOf(await step((on) => on.capture(open.signed.messageId, 300n))), "captured");
  assert.equal(codeOf(await step((on) => on.capture(open.signed.messageId, 299n))), "CAPTURE_MISMATCH");

  const given = await charge();
  const late = await payer.pay(given.codeText);
  assert.equal(codeOf(await step((on) => on.voidRequest(given.requestId))), "voided");
  assert.equal(codeOf(await step((on) => on.accept(late.codeText))), "REQUEST_VOIDED");
  assert.equal(codeOf(await step((on) => on.voidRequest(asked.requestId))), "REQUEST_ALREADY_PAID");

  const seen = new Set<string>();
  for (;;) {
    const upload = await step((on) => on.buildUpload({ limit: 2 }));
    if (upload.items.length === 0) break;
    const records = upload.items.map(
      (item, index): RecordAnswer => ({
        index,
        paymentId: item.kind === "payment" ? item.paymentId : null,
        state: "received",
        code: null,
        sentence: null,
      }),
    );
    for (const item of upload.items) seen.add(item.kind === "payment" ? item.paymentId : item.requestId);
    const statusList = await issuer.signStatusList({ issuedAt: NOW - 5 });
    await step((on) => on.applyUploadAnswer(upload, { ...enrolment, statusList, records }));
  }
  assert.deepEqual(seen, new Set([paid.signed.messageId, open.signed.messageId, given.requestId]), "nothing is lost");

  const asking = await step((on) => on.paymentsToAsk(9));
  const outcomes = asking.map((paymentId) => {
    const takenMinor = paymentId === paid.signed.messageId ? 100n : 300n;
    return { paymentId, state: "settled" as const, code: null, sentence: "Paid.", takenMinor };
  });
  await step((on) => on.applyOutcomes(outcomes));
  assert.deepEqual((await step((on) => on.totals({}))).byState, [{ state: "settled", count: 2, totalMinor: 400n }]);
  assert.equal((await step((on) => on.standing())).statusListAgeSeconds, 5);
  const kept = await journal.refusedPayments({ limit: 9 });
  assert.deepEqual(
    kept.map(({ code }) => code),
    ["REQUEST_VOIDED"],
  );
  assert.equal(crashes, crash.call <= crashing.calls() && crash.call > 0 ? 1 : 0);
  return crashing.calls();
}

test("a crash before or after any call to a port, and a terminal opened anew, come to the same end", async () => {
  const calls = await day({ call: 0, when: "before" });
  assert.ok(calls > 50, `${calls} calls`);
  for (let call = 1; call <= calls; call++) {
    for (const when of ["before", "after"] as const) await day({ call, when });
  }
});
