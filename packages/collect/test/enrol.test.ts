import assert from "node:assert/strict";
import { test } from "node:test";
import { openReceiver, openTerminal, type TerminalPorts } from "@cairn/collect";
import { generateNodeSigner } from "@cairn/cose/node";
import { MemoryTerminalJournal } from "@cairn/stores";
import { chargeFor, codeOf, DAY, makeIssuer, makeTerminal, NOW } from "./world.ts";

const issuer = makeIssuer();

/** The ports of a terminal that is not enrolled, and an enrolment that fits it. */
async function fresh() {
  const { ports, enrolment, clock, payee } = await makeTerminal(issuer);
  const journal = new MemoryTerminalJournal();
  const unenrolled: TerminalPorts = { ...ports, journal };
  return { ports: unenrolled, journal, enrolment, clock, payee };
}

test("stores root key, lists and certificate, or nothing", async () => {
  const { ports, journal, enrolment, payee } = await fresh();
  const outcome = await openTerminal(ports).enrol(enrolment);
  assert.ok(outcome.kind === "enrolled");
  assert.deepEqual(outcome.payee, payee.content);
  assert.deepEqual((await journal.setup())?.setup, { ...enrolment, issuerId: "issuer", guests: [] });
});

test("refuses, and stores nothing of, an enrolment that does not hold together", async () => {
  const other = makeIssuer();
  const { ports, journal, enrolment } = await fresh();
  const terminal = openTerminal(ports);
  const cases: [Partial<typeof enrolment>, string][] = [
    [{ rootKey: new Uint8Array(0) }, "CBOR_TRUNCATED"],
    [{ rootKey: Uint8Array.of(0xa0) }, "COSE_KEY_INVALID"],
    [{ rootKey: other.rootKey }, "ISSUER_UNKNOWN"],
    [{ trustList: enrolment.statusList }, "COSE_MALFORMED"],
    [{ trustList: await other.signTrustList() }, "ISSUER_UNKNOWN"],
    [{ trustList: await issuer.signTrustList({ expiresAt: NOW - 301 }) }, "TRUST_LIST_EXPIRED"],
    [{ statusList: await other.signStatusList() }, "ISSUER_UNKNOWN"],
    [{ statusList: await issuer.signStatusList({ expiresAt: NOW - 1 }) }, "STATUS_LIST_STALE"],
    [{ payeeCertificate: (await other.signPayee(ports.signer)).bytes }, "ISSUER_UNKNOWN"],
    [{ payeeCertificate: Uint8Array.of(0xff) }, "CBOR_UNSUPPORTED"],
    [{ payeeCertificate: (await issuer.signPayee(generateNodeSigner())).bytes }, "PAYEE_CERTIFICATE_MISMATCH"],
    [
      { payeeCertificate: (await issuer.signPayee(ports.signer, { expiresAt: NOW - 1 })).bytes },
      "PAYEE_CERTIFICATE_EXPIRED",
    ],
  ];
  for (const [change, code] of cases) {
    assert.equal(codeOf(await terminal.enrol({ ...enrolment, ...change })), code);
    assert.equal((await journal.marks()).setupRevision, 0);
  }
  assert.equal(codeOf(await terminal.enrol(enrolment)), "enrolled");
});

test("enrolling again under the same root key takes home what is newer; another root key is never taken", async () => {
  const { ports, enrolment } = await fresh();
  const terminal = openTerminal(ports);
  await terminal.enrol(enrolment);
  const newer = { ...enrolment, statusList: await issuer.signStatusList({ issuedAt: NOW - 5 }) };
  assert.equal(codeOf(await terminal.enrol(newer)), "enrolled");
  assert.equal((await terminal.standing()).statusListAgeSeconds, 5);
  const other = makeIssuer();
  await assert.rejects(terminal.enrol({ ...enrolment, rootKey: other.rootKey }), { code: "ROOT_KEY_DIFFERS" });
  assert.equal(codeOf(await terminal.enrol({ ...enrolment, rootKey: Uint8Array.of(0xa0) })), "COSE_KEY_INVALID");
  const strange = { ...enrolment, statusList: await other.signStatusList() };
  assert.equal(codeOf(await terminal.enrol(strange)), "ISSUER_UNKNOWN");
  assert.equal((await terminal.standing()).statusListAgeSeconds, 5);
});

test("a receiver is a terminal that asks for payments and takes them, over the same journal", async () => {
  const { ports, enrolment } = await fresh();
  const receiver = openReceiver(ports);
  assert.equal(codeOf(await receiver.enrol(enrolment)), "enrolled");
  const asked = await chargeFor(receiver, 100n);
  assert.equal(await openTerminal(ports).requestCode(asked.requestId), asked.codeText);
});

test("a terminal whose clock is slow enrols all the same, with what was issued later than it thinks it is", async () => {
  const { ports, clock, enrolment } = await fresh();
  clock.at = NOW - 3 * DAY;
  assert.equal(codeOf(await openTerminal(ports).enrol(enrolment)), "enrolled");
});

test("two processes that enrol at once both end enrolled", async () => {
  const { ports, enrolment } = await fresh();
  const outcomes = await Promise.all([openTerminal(ports).enrol(enrolment), openTerminal(ports).enrol(enrolment)]);
  assert.deepEqual(outcomes.map(codeOf), ["enrolled", "enrolled"]);
});

test("a journal does not serve another terminal's key", async () => {
  const { ports, enrolment } = await fresh();
  const terminal = openTerminal(ports);
  await terminal.enrol(enrolment);
  await chargeFor(terminal, 5n);
  const other = openTerminal({ ...ports, signer: generateNodeSigner() });
  await assert.rejects(other.standing(), { code: "TERMINAL_KEY_DIFFERS" });
});

test("of two processes that enrol at once under different root keys one finds the other's pinned", async () => {
  const other = makeIssuer();
  const { ports, journal, enrolment } = await fresh();
  const others = {
    rootKey: other.rootKey,
    trustList: await other.signTrustList(),
    statusList: await other.signStatusList(),
    payeeCertificate: (await other.signPayee(ports.signer)).bytes,
  };
  const [first, second] = await Promise.allSettled([
    openTerminal(ports).enrol(enrolment),
    openTerminal(ports).enrol(others),
  ]);
  const [won, lost] = first.status === "fulfilled" ? [first, second] : [second, first];
  assert.ok(won.status === "fulfilled" && lost.status === "rejected");
  assert.equal(lost.reason.code, "ROOT_KEY_DIFFERS");
  const pinned = (won === first ? enrolment : others).rootKey;
  assert.deepEqual((await journal.setup())?.setup.rootKey, pinned);
});
