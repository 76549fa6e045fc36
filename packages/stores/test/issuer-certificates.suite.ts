import assert from "node:assert/strict";
import { test } from "node:test";
import { accountNumber, partitionOf } from "@cairn/issue";
import {
  aPayment,
  certificateId,
  DAY,
  deviceId,
  enrolDevice,
  issue,
  messageId,
  NOW,
  openAccount,
  openPayer,
  payersCopy,
  settleItems,
  signedPayment,
  someBytes,
} from "./issuer-fixture.ts";
import { rejectsWith } from "./issuer-members.suite.ts";
import type { OpenStore } from "./issuer-store.suite.ts";

/** Certificates: prepared, signed, closed, revoked. */
export function certificatesSuite(name: string, open: OpenStore): void {
  test(`${name}: what is decided is written before it is signed, with its reasons`, async () => {
    const store = await open();
    const account = await openAccount(store, { balanceMinor: 300n, lineMinor: 70n });
    const first = await issue(store, account);
    const unsigned = await store.certificate(first);
    assert.deepEqual([unsigned?.bytes, unsigned?.serial, unsigned?.statusIndex], [undefined, 1, 0]);
    assert.deepEqual([...(unsigned?.toBeSigned ?? [])], [...someBytes(1)]);
    assert.equal(unsigned?.explanation, '{"because":"of a test"}');
    await store.recordIssued(first, someBytes(8));
    assert.deepEqual([...((await store.certificate(first))?.bytes ?? [])], [...someBytes(8)]);
    await assert.rejects(store.recordIssued(certificateId(9), someBytes(8)), rejectsWith("CERTIFICATE_UNKNOWN"));
    const messages = await store.certificateMessages(partitionOf(account), [first, certificateId(9)]);
    assert.deepEqual([...messages], [[first, unsigned?.messageId]]);
    assert.equal((await store.certificateMessages(partitionOf(account), [])).size, 0);

    await store.prepareCertificate(account, deviceId(account), (view) => {
      assert.equal(view.partition, partitionOf(account));
      assert.deepEqual([view.nextSerial, view.statusIndex], [2, 1]);
      assert.deepEqual([view.account.balanceMinor, view.account.credit.lineMinor], [300n, 70n]);
      assert.equal(view.device.deviceId, deviceId(account));
      assert.deepEqual(
        view.certificates.map((each) => [each.certificateId, each.limitMinor, each.allowanceMinor, each.settledMinor]),
        [[first, 5_000n, 8_000n, 0n]],
      );
      return { result: undefined };
    });
    assert.equal((await store.certificatesOf(account)).length, 1);
    const second = await issue(store, account, { heldMinor: 700n, issuedAhead: true });
    assert.deepEqual(
      (await store.certificatesOf(account)).map((each) => [each.heldMinor, each.issuedAhead]),
      [
        [4_000n, false],
        [700n, true],
      ],
    );
    assert.deepEqual(
      (await store.certificatesOf(account)).map((each) => [each.certificateId, each.serial, each.statusIndex]),
      [
        [first, 1, 0],
        [second, 2, 1],
      ],
    );
    const other = await openPayer(store);
    assert.deepEqual(
      [(await store.certificate(other.certificate))?.serial, (await store.revokedIndices()).size],
      [1, 3],
    );
    await store.close();
  });

  test(`${name}: nothing is prepared for an account or device that is not there, or not the account's`, async () => {
    const store = await open();
    const account = await openAccount(store);
    const other = await openAccount(store);
    const nothing = () => ({ result: undefined });
    const prepare = (of: number, device: number) =>
      store.prepareCertificate(accountNumber(of), deviceId(device), nothing);
    await assert.rejects(prepare(99, account), rejectsWith("ACCOUNT_UNKNOWN"));
    await assert.rejects(prepare(account, 99), rejectsWith("DEVICE_UNKNOWN"));
    await assert.rejects(prepare(account, other), rejectsWith("DEVICE_UNKNOWN"));
    await store.close();
  });

  test(`${name}: a decision that throws leaves nothing behind`, async () => {
    const store = await open();
    const account = await openAccount(store);
    const failing = store.prepareCertificate(account, deviceId(account), () => {
      throw new Error("decided to fail");
    });
    await assert.rejects(failing, /decided to fail/);
    assert.deepEqual(await store.certificatesOf(account), []);
    await issue(store, account);
    await assert.rejects(issue(store, account, { certificateId: certificateId(account * 1_000 + 1) }));
    assert.equal((await store.certificatesOf(account)).length, 1);
    await store.close();
  });

  test(`${name}: two devices of one account see each other's certificates`, async () => {
    const store = await open();
    const account = await openAccount(store);
    await issue(store, account);
    await enrolDevice(store, account, 60);
    const seen = await store.prepareCertificate(account, deviceId(60), (view) => ({
      result: view.certificates.map((each) => each.deviceId),
    }));
    assert.deepEqual(seen, [deviceId(account)]);
    await store.close();
  });

  test(`${name}: revocation happens once and is told until the certificate has expired`, async () => {
    const store = await open();
    const account = await openAccount(store);
    const [first, second] = [await issue(store, account), await issue(store, account, { expiresAt: NOW + 2 * DAY })];
    assert.deepEqual(await store.revokedIndices(), { revoked: [], size: 2 });
    assert.equal(await store.revokeCertificate(second, NOW + 5, "lost"), "revoked");
    assert.equal(await store.revokeCertificate(second, NOW + 9, "again"), "repeated");
    assert.equal(await store.revokeCertificate(certificateId(9), NOW, "none"), "unknown-certificate");
    const revoked = await store.certificate(second);
    assert.deepEqual([revoked?.revokedAt, revoked?.revocationReason], [NOW + 5, "lost"]);
    await store.revokeCertificate(first, NOW, "lost");
    assert.deepEqual(await store.revokedIndices(), { revoked: [0, 1], size: 2 });
    assert.deepEqual(await store.revokedIndices({ expiresFrom: NOW + DAY }), { revoked: [0, 1], size: 2 });
    assert.deepEqual(await store.revokedIndices({ expiresFrom: NOW + DAY + 1 }), { revoked: [1], size: 2 });
    await store.close();
  });

  test(`${name}: a mistaken revocation is taken back, as often as it is made`, async () => {
    const store = await open();
    const account = await openAccount(store);
    const certificate = await issue(store, account);
    assert.equal(await store.restoreCertificate(certificate, NOW + 7), "not-revoked");
    await store.revokeCertificate(certificate, NOW + 5, "lost");
    assert.equal(await store.restoreCertificate(certificate, NOW + 7), "restored");
    const restored = await store.certificate(certificate);
    assert.deepEqual([restored?.revokedAt, restored?.revocationReason], [undefined, undefined]);
    assert.equal(restored?.restoredAt, NOW + 7);
    assert.deepEqual(await store.revokedIndices(), { revoked: [], size: 1 });
    assert.equal(await store.revokeCertificate(certificate, NOW + 9, "lost again"), "revoked");
    assert.equal((await store.certificate(certificate))?.restoredAt, undefined);
    assert.deepEqual((await store.certificatesOf(account))[0]?.changes, [
      { change: "revoked", at: NOW + 5, reason: "lost" },
      { change: "restored", at: NOW + 7, reason: "" },
      { change: "revoked", at: NOW + 9, reason: "lost again" },
    ]);
    assert.equal(await store.restoreCertificate(certificateId(9), NOW + 7), "unknown-certificate");
    await store.close();
  });

  test(`${name}: a proven conflict withdraws every certificate of the copied key, for good; other devices keep theirs`, async () => {
    const store = await open();
    const account = await openAccount(store);
    await enrolDevice(store, account, 71);
    const [first, second] = [await issue(store, account), await issue(store, account)];
    const foreign = await issue(store, account, { deviceId: deviceId(71) });
    await store.recordClosing(first, closing(50, 1));
    await store.recordClosing(first, closing(51, 2));
    const revoked = await Promise.all(
      [first, second, foreign].map(async (id) => (await store.certificate(id))?.revokedAt !== undefined),
    );
    assert.deepEqual(revoked, [true, true, false]);
    const proven = { change: "revoked", at: NOW + 51, reason: "Proven conflict." } as const;
    assert.deepEqual((await store.certificate(second))?.changes, [proven]);
    assert.deepEqual(await store.revokedIndices(), { revoked: [0, 1], size: 3 });
    await store.resolveConflicts(account, NOW + 9);
    assert.equal(await store.restoreCertificate(first, NOW + 7), "in-conflict");
    assert.equal(await store.restoreCertificate(second, NOW + 7), "in-conflict", "the same key");
    await store.revokeCertificate(foreign, NOW + 9, "mistaken");
    assert.equal(await store.restoreCertificate(foreign, NOW + 7), "restored");
    await store.close();
  });

  test(`${name}: knows all devices of an account and none of another's`, async () => {
    const store = await open();
    const account = await openAccount(store);
    await openAccount(store);
    await enrolDevice(store, account, 71);
    await store.setDeviceStatus(deviceId(71), "frozen");
    const devices = await store.devicesOf(account);
    assert.deepEqual(
      devices.map(({ deviceId: id, status }) => [id, status]).toSorted(),
      [
        [deviceId(account), "active"],
        [deviceId(71), "frozen"],
      ].toSorted(),
    );
    assert.deepEqual(await store.devicesOf(accountNumber(99)), []);
    await store.close();
  });

  const closing = (number: number, sequence: number) => ({
    sequence,
    spentMinor: 1_000n * BigInt(sequence),
    messageId: messageId(number),
    bytes: someBytes(number),
    closedAt: NOW + number,
  });

  test(`${name}: the first closing counts; the same again, and one signed anew with the same facts, are repeats`, async () => {
    const store = await open();
    const { certificate, account } = await openPayer(store);
    assert.equal(await store.recordClosing(certificate, closing(50, 2)), "recorded");
    assert.equal(await store.recordClosing(certificate, closing(50, 2)), "repeated");
    assert.equal(await store.recordClosing(certificate, closing(51, 2)), "repeated");
    assert.equal(await store.recordClosing(certificateId(9), closing(50, 2)), "unknown-certificate");
    assert.deepEqual((await store.certificate(certificate))?.closing, {
      sequence: 2,
      spentMinor: 2_000n,
      closedAt: NOW + 50,
    });
    assert.equal((await store.account(account))?.unresolvedConflicts, 0);
    await store.close();
  });

  test(`${name}: another last word proves a conflict and freezes the offline right`, async () => {
    const store = await open();
    const { certificate, account } = await openPayer(store);
    await store.recordClosing(certificate, closing(50, 2));
    assert.equal(await store.recordClosing(certificate, closing(51, 3)), "differs");
    const [conflict] = await store.conflicts();
    assert.deepEqual(
      [conflict?.kind, conflict?.first, conflict?.second, conflict?.account, conflict?.resolvedAt],
      ["two-closings", messageId(50), messageId(51), account, undefined],
    );
    assert.deepEqual([...(conflict?.firstBytes ?? [])], [...someBytes(50)]);
    assert.deepEqual([...(conflict?.secondBytes ?? [])], [...someBytes(51)]);
    assert.equal((await store.certificate(certificate))?.closing?.sequence, 2);
    assert.equal((await store.certificate(certificate))?.revokedAt, NOW + 51);
    assert.equal((await store.account(account))?.unresolvedConflicts, 1);
    await store.close();
  });

  test(`${name}: a closing below what is known already proves a conflict, even against a payer's copy`, async () => {
    const store = await open();
    const payer = await openPayer(store);
    await settleItems(store, payer, [payersCopy(aPayment(payer, 1)), payersCopy(aPayment(payer, 2))]);
    assert.equal(await store.recordClosing(payer.certificate, closing(50, 1)), "recorded");
    const [conflict] = await store.conflicts();
    assert.equal(conflict?.kind, "payment-beyond-closing");
    assert.deepEqual([...(conflict?.secondBytes ?? [])], [...signedPayment(aPayment(payer, 2).paymentId)]);
    await store.close();
  });
}
