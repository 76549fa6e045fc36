import assert from "node:assert/strict";
import { fdatasync, readFileSync } from "node:fs";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { MessageId } from "@cairn/messages";
import { type IssuerStore, SqliteIssuerStore, StoreError } from "@cairn/stores";
import {
  aPayee,
  aPayment,
  aRecord,
  aWord,
  deviceId,
  EUR,
  enrolTerminal,
  issue,
  messageId,
  NOW,
  openPayer,
  payeeCertificateId,
  payeeId,
  payersCopy,
  requestHash,
  settleItems,
  someBytes,
  terminalId,
} from "./issuer-fixture.ts";
import { rejectsWith } from "./issuer-members.suite.ts";

/** The store's log is flushed beside the main thread: what may be told, and what a power cut leaves. */

async function inFolder(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "cairn-issuer-flush-"));
  try {
    await work(join(folder, "issuer.sqlite"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const SHARES = [0, 0, 0.3, 0.7, 1];

/** So often that whatever does not wait for the disk is done. */
async function manyTurns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** What is answered from memory, which holds only what is on the disk; and what is no word about anything stored. */
type Untold = "sealEntriesWith" | "takeBatch" | "waitingRecords" | "postpone" | "close" | "lost" | "backUp";

test("while the disk has not kept what was committed, nobody is told of it, nor of anything read after it", () =>
  inFolder(async (path) => {
    const held: (() => void)[] = [];
    let isHolding = false;
    const store = new SqliteIssuerStore(path, {
      flushFile: (descriptor, done) =>
        isHolding ? void held.push(() => fdatasync(descriptor, done)) : fdatasync(descriptor, done),
    });
    await enrolTerminal(store, 1, 1);
    const payer = await openPayer(store);
    const { account, certificate, partition } = payer;
    await settleItems(store, payer, [aPayment(payer, 1), payersCopy(aPayment(payer, 2))]);
    const deviceCode = { codeHash: "another device", for: { account }, expiresAt: NOW + 9 } as const;
    const terminalCode = { codeHash: "another till", for: { payeeId: payeeId(1) }, expiresAt: NOW + 9 } as const;
    for (const code of [deviceCode, terminalCode]) await store.createEnrolmentCode(code);
    const device = {
      deviceId: deviceId(99),
      publicKey: someBytes(99),
      protection: 2,
      label: "phone",
      at: NOW,
    } as const;
    const till = { terminalId: terminalId(99), publicKey: someBytes(98), label: "till", at: NOW };

    const calls: Record<Exclude<keyof SqliteIssuerStore, Untold>, () => Promise<unknown>> = {
      createAccount: () => store.createAccount({ name: "Bob", currency: EUR, createdAt: NOW }),
      account: () => store.account(account),
      accounts: () => store.accounts(),
      setAccountStatus: () => store.setAccountStatus(account, "active"),
      setCredit: () => store.setCredit(account, { lineMinor: 1n, overdueMinor: 0n, scoreBand: "A", informedAt: NOW }),
      topUp: () => store.topUp({ account, amountMinor: 5n, idempotencyKey: "held", at: NOW }),
      closeStatements: () => store.closeStatements({ at: NOW, everySeconds: 9, dueAfterSeconds: 9, limit: 1 }),
      createEnrolmentCode: () =>
        store.createEnrolmentCode({ codeHash: "one more", for: { account }, expiresAt: NOW + 9 }),
      forgetExpiredCodes: () => store.forgetExpiredCodes({ partition, before: NOW }),
      enrolDevice: () => store.enrolDevice({ codeHash: deviceCode.codeHash, ...device }),
      enrolTerminal: () => store.enrolTerminal({ codeHash: terminalCode.codeHash, ...till }),
      device: () => store.device(deviceId(account)),
      terminal: () => store.terminal(terminalId(1)),
      devicesOf: () => store.devicesOf(account),
      terminalsOf: () => store.terminalsOf(payeeId(1)),
      setDeviceStatus: () => store.setDeviceStatus(deviceId(account), "active"),
      setTerminalStatus: () => store.setTerminalStatus(terminalId(1), "active"),
      createPayee: () => store.createPayee(aPayee(7)),
      payee: () => store.payee(payeeId(1)),
      payees: () => store.payees(),
      recordPayeeCertificate: () =>
        store.recordPayeeCertificate({
          terminalId: terminalId(1),
          payeeCertificateId: payeeCertificateId(1),
          bytes: someBytes(3),
          issuedAt: NOW,
          expiresAt: NOW + 9,
        }),
      payeeCertificate: () => store.payeeCertificate(payeeId(1), payeeCertificateId(1)),
      prepareCertificate: () => issue(store, account),
      recordIssued: () => store.recordIssued(certificate, someBytes(1)),
      certificate: () => store.certificate(certificate),
      certificatesOf: () => store.certificatesOf(account),
      certificateMessages: () => store.certificateMessages(partition, [certificate]),
      recordClosing: () =>
        store.recordClosing(certificate, {
          messageId: messageId(5),
          sequence: 2,
          spentMinor: 2_000n,
          bytes: someBytes(5),
          closedAt: NOW,
        }),
      revokeCertificate: () => store.revokeCertificate(certificate, NOW, "lost"),
      restoreCertificate: () => store.restoreCertificate(certificate, NOW),
      revokedIndices: () => store.revokedIndices(),
      receive: () => store.receive([aRecord(payer)]),
      recordVoid: () =>
        store.recordVoid({
          requestHash: requestHash(1),
          payeeId: payeeId(1),
          terminalId: terminalId(1),
          bytes: someBytes(6),
          receivedAt: NOW,
        }),
      settle: () =>
        store.settle({
          partition,
          records: [],
          items: [],
          rejected: [],
          at: NOW,
          decide: () => ({ entries: [], payments: [], sideClaims: [], exposures: [], conflicts: [], outcomes: [] }),
        } as Parameters<IssuerStore["settle"]>[0]),
      outcomes: () => store.outcomes([aPayment(payer, 1).paymentId]),
      outcomesOfCertificate: () => store.outcomesOfCertificate(certificate),
      evidence: () => store.evidence(aPayment(payer, 1).paymentId),
      releaseOverdue: () => store.releaseOverdue({ before: NOW - 9, at: NOW }),
      conflicts: () => store.conflicts(),
      resolveConflicts: () => store.resolveConflicts(account, NOW),
      heldPayments: () => store.heldPayments(),
      entries: () => store.entries({ limit: 10 }),
      trialBalance: () => store.trialBalance(),
      verifyBooks: () => store.verifyBooks(),
      keptRecords: () => store.keptRecords(),
      keptPayments: () => store.keptPayments(),
      keptCertificates: () => store.keptCertificates(),
      keptClosings: () => store.keptClosings(),
      keptVoids: () => store.keptVoids(),
      keptMovements: () => store.keptMovements(),
      ledgerHeads: () => store.ledgerHeads(),
      missingHeads: () => store.missingHeads([{ partition, entryId: 1, hash: "ab".repeat(32) }]),
      recordsNaming: () => store.recordsNaming([aPayment(payer, 1).paymentId]),
      move: () => store.move({ partition }, () => ({ result: 1 })),
      ledgerBalances: () => store.ledgerBalances("clearing"),
      ledgerSums: () => store.ledgerSums("clearing"),
      sweepsUnderway: () => store.sweepsUnderway(),
      operationRecords: () => store.operationRecords("payout"),
      reconcile: () => store.reconcile({ from: 0, to: NOW }),
      useNonce: () => store.useNonce("held", NOW + 9, NOW),
    };
    isHolding = true;
    const first = store.topUp({ account, amountMinor: 1n, idempotencyKey: "first", at: NOW });
    const told: string[] = [];
    const asked = Object.entries(calls).map(([name, call]) =>
      call().then(
        () => told.push(name),
        (error: unknown) => assert.fail(`${name}: ${error}`),
      ),
    );
    await manyTurns();
    assert.deepEqual(told, []);
    isHolding = false;
    for (const flush of held.splice(0)) flush();
    await Promise.all([first, ...asked]);
    assert.equal(told.length, Object.keys(calls).length);
    await store.close();
  }));

test("a power cut at any moment leaves everything that anybody was told of, and sound books", () =>
  inFolder(async (path) => {
    const log = `${path}-wal`;
    // What the disk has for certain: the log as it was when the last flush that succeeded was begun.
    let kept: Buffer = Buffer.alloc(0);
    const store = new SqliteIssuerStore(path, {
      flushFile: (descriptor, done) => {
        const begun = readFileSync(log);
        // A slow disk: more is committed while it flushes.
        setTimeout(() => {
          fdatasync(descriptor, (error) => {
            kept = begun;
            done(error);
          });
        }, 4);
      },
    });
    const told: MessageId[] = [];
    const payers = [];
    for (let number = 0; number < 4; number++) payers.push(await openPayer(store, { balanceMinor: 1_000_000n }));
    const cuts: { readonly log: Buffer; readonly told: readonly MessageId[] }[] = [];
    let ahead = 0;
    const cut = (): void => {
      const written = readFileSync(log);
      const extra = Math.max(0, written.length - kept.length);
      if (extra > 0) ahead++;
      // Of what came after the flush nothing is there, or some, or all.
      const left = written.subarray(0, kept.length + Math.floor(extra * (SHARES[cuts.length % SHARES.length] ?? 0)));
      kept.copy(left);
      cuts.push({ log: left, told: [...told] });
    };
    await Promise.all(
      payers.map(async (payer, index) => {
        for (let number = 1; number <= 60; number += 5) {
          const items = Array.from({ length: 5 }, (_, step) => smallPayment(payer, number + step));
          // Each at its own pace, so that one commits while another one's flush is under way.
          await new Promise((resolve) => setTimeout(resolve, index));
          const outcomes = await settleItems(store, payer, items);
          told.push(...outcomes.filter(({ state }) => state === "settled").map(({ paymentId }) => paymentId));
          cut();
        }
      }),
    );
    assert.ok(ahead > 0, "the power is cut while more is written than kept");
    for (const [number, { log: left, told: by }] of cuts.entries()) await powerCut(path, left, by, `${number}`);
    assert.equal(told.length, payers.length * 60);
    await store.close();
  }));

const smallPayment = (payer: Parameters<typeof aPayment>[0], number: number) =>
  aPayment(payer, number, {
    amountMinor: 10n,
    spentMinor: 10n * BigInt(number),
    payeeWord: aWord({ takenMinor: 10n }),
  });

async function powerCut(path: string, log: Buffer, told: readonly MessageId[], name: string): Promise<void> {
  const copy = `${path}.${name}`;
  await copyFile(path, copy);
  await writeFile(`${copy}-wal`, log);
  const store = new SqliteIssuerStore(copy);
  assert.deepEqual((await store.verifyBooks()).faults, []);
  const outcomes = await store.outcomes(told);
  assert.equal(outcomes.filter(({ state }) => state === "settled").length, told.length, "all that was told is there");
  await store.close();
}

test("a flush that fails: whoever waits is told, nothing is done any more, and a new opening has all that was told", () =>
  inFolder(async (path) => {
    let isBroken = false;
    const store = new SqliteIssuerStore(path, {
      flushFile: (descriptor, done) =>
        isBroken
          ? setImmediate(done, Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" }))
          : fdatasync(descriptor, done),
    });
    const payer = await openPayer(store);
    await settleItems(store, payer, [aPayment(payer, 1)]);
    isBroken = true;
    const { account } = payer;
    const lost = rejectsWith("STORE_LOST");
    const waiting = await Promise.allSettled([
      store.topUp({ account, amountMinor: 1n, idempotencyKey: "lost", at: NOW }),
      store.useNonce("lost", NOW + 9, NOW),
      store.account(account),
    ]);
    for (const each of waiting) assert.ok(each.status === "rejected" && each.reason.code === "STORE_LOST");
    assert.ok((await store.lost()) instanceof StoreError);
    // The disk works again: what it dropped meanwhile nobody knows, so that this store stays as it is.
    isBroken = false;
    await assert.rejects(store.topUp({ account, amountMinor: 1n, idempotencyKey: "later", at: NOW }), lost);
    await assert.rejects(store.useNonce("later", NOW + 9, NOW), lost);
    await assert.rejects(store.account(account), lost);
    await store.close();

    const reopened = new SqliteIssuerStore(path);
    assert.deepEqual((await reopened.verifyBooks()).faults, []);
    const [outcome] = await reopened.outcomes([aPayment(payer, 1).paymentId]);
    assert.equal(outcome?.state, "settled");
    await settleItems(reopened, payer, [aPayment(payer, 2)]);
    await reopened.close();
  }));
