import assert from "node:assert/strict";
import { test } from "node:test";
import { accountNumber } from "@cairn/issue";
import { partitionOfId, StoreError, type StoreErrorCode } from "@cairn/stores";
import {
  aPayee,
  DAY,
  deviceId,
  EUR,
  enrolDevice,
  enrolTerminal,
  NOW,
  openAccount,
  payeeCertificateId,
  payeeId,
  someBytes,
  terminalId,
} from "./issuer-fixture.ts";
import type { OpenStore } from "./issuer-store.suite.ts";

export const rejectsWith = (code: StoreErrorCode) => (error: unknown) =>
  error instanceof StoreError && error.code === code;
const NOBODY = accountNumber(999);

/** Accounts, devices, payees, terminals, enrolment, nonces. */
export function membersSuite(name: string, open: OpenStore): void {
  test(`${name}: a new account is active, empty and without credit`, async () => {
    const store = await open();
    const account = await store.createAccount({ name: "Ada", currency: EUR, createdAt: NOW });
    assert.deepEqual(
      { ...(await store.account(account)) },
      {
        account,
        name: "Ada",
        status: "active",
        currency: "EUR",
        balanceMinor: 0n,
        credit: { lineMinor: 0n, usedMinor: 0n, overdueMinor: 0n, dues: [], scoreBand: "E", informedAt: NOW },
        unresolvedConflicts: 0,
        createdAt: NOW,
      },
    );
    assert.equal(await store.account(NOBODY), undefined);
    const second = await store.createAccount({ name: "Bob", currency: EUR, createdAt: NOW });
    assert.deepEqual(
      (await store.accounts()).map((each) => each.account),
      [account, second],
    );
    await store.close();
  });

  test(`${name}: status and credit are set, and asked of an account that is there`, async () => {
    const store = await open();
    const account = await openAccount(store);
    await store.setAccountStatus(account, "frozen");
    const credit = { lineMinor: 700n, overdueMinor: 20n, scoreBand: "A", informedAt: NOW + 5 } as const;
    await store.setCredit(account, credit);
    const kept = await store.account(account);
    assert.equal(kept?.status, "frozen");
    assert.deepEqual(kept?.credit, { ...credit, usedMinor: 0n, dues: [] });
    await assert.rejects(store.setAccountStatus(NOBODY, "active"), rejectsWith("ACCOUNT_UNKNOWN"));
    await assert.rejects(store.setCredit(NOBODY, credit), rejectsWith("ACCOUNT_UNKNOWN"));
    await assert.rejects(store.setCredit(account, { ...credit, lineMinor: -1n }), rejectsWith("STORE_INPUT_INVALID"));
    await store.close();
  });

  test(`${name}: a top-up posts once a key, and the same key never means another amount`, async () => {
    const store = await open();
    const account = await openAccount(store, { balanceMinor: 0n });
    const topUp = { account, amountMinor: 500n, idempotencyKey: "a\nkey", at: NOW };
    assert.equal(await store.topUp(topUp), "posted");
    assert.equal(await store.topUp({ ...topUp, at: NOW + 9 }), "repeated");
    assert.equal(await store.topUp({ ...topUp, amountMinor: 501n }), "key-reused");
    assert.equal((await store.account(account))?.balanceMinor, 500n);
    const other = await openAccount(store, { balanceMinor: 0n });
    assert.equal(await store.topUp({ ...topUp, account: other, amountMinor: 7n }), "posted");
    await assert.rejects(store.topUp({ ...topUp, account: NOBODY }), rejectsWith("ACCOUNT_UNKNOWN"));
    await assert.rejects(
      store.topUp({ ...topUp, amountMinor: 0n, idempotencyKey: "nothing" }),
      rejectsWith("STORE_INPUT_INVALID"),
    );
    await store.close();
  });

  test(`${name}: a device enrols once with its code, and the same key gets the same answer again`, async () => {
    const store = await open();
    const account = await openAccount(store);
    await store.createEnrolmentCode({
      codeHash: "c",
      for: { account, replacesDeviceId: deviceId(account) },
      expiresAt: NOW,
    });
    const device = {
      codeHash: "c",
      deviceId: deviceId(50),
      publicKey: someBytes(50),
      protection: 3,
      label: "card",
      at: NOW,
    } as const;
    const enrolled = await store.enrolDevice(device);
    assert.deepEqual(
      { ...(typeof enrolled === "string" ? {} : enrolled), publicKey: undefined },
      {
        deviceId: deviceId(50),
        account,
        publicKey: undefined,
        protection: 3,
        label: "card",
        status: "active",
        replacesDeviceId: deviceId(account),
        enrolledAt: NOW,
      },
    );
    assert.deepEqual(await store.enrolDevice({ ...device, at: NOW + DAY }), enrolled);
    assert.deepEqual(await store.device(deviceId(50)), enrolled);
    assert.equal(await store.enrolDevice({ ...device, deviceId: deviceId(51) }), "code-used");
    assert.equal(await store.device(deviceId(51)), undefined);
    await store.close();
  });

  test(`${name}: codes that are unknown, of the other kind or expired enrol nobody; a key enrols once for all`, async () => {
    const store = await open();
    const account = await openAccount(store);
    await enrolTerminal(store, 1, 1);
    const device = {
      deviceId: deviceId(50),
      publicKey: someBytes(50),
      protection: 0,
      label: "phone",
      at: NOW,
    } as const;
    const terminal = { terminalId: terminalId(50), publicKey: someBytes(50), label: "till", at: NOW };
    await store.createEnrolmentCode({ codeHash: "device", for: { account }, expiresAt: NOW });
    await store.createEnrolmentCode({ codeHash: "till", for: { payeeId: payeeId(1) }, expiresAt: NOW });
    assert.equal(await store.enrolDevice({ ...device, codeHash: "none" }), "code-unknown");
    assert.equal(await store.enrolDevice({ ...device, codeHash: "till" }), "code-unknown");
    assert.equal(await store.enrolTerminal({ ...terminal, codeHash: "device" }), "code-unknown");
    assert.equal(await store.enrolDevice({ ...device, codeHash: "device", at: NOW + 1 }), "code-expired");
    assert.equal(await store.enrolTerminal({ ...terminal, codeHash: "till", at: NOW + 1 }), "code-expired");
    assert.equal(await store.enrolDevice({ ...device, codeHash: "device", deviceId: deviceId(account) }), "key-known");
    assert.equal(await store.enrolTerminal({ ...terminal, codeHash: "till", terminalId: terminalId(1) }), "key-known");
    const create = store.createEnrolmentCode({ codeHash: "x", for: { account: NOBODY }, expiresAt: NOW });
    await assert.rejects(create, rejectsWith("ACCOUNT_UNKNOWN"));
    const forNobody = store.createEnrolmentCode({ codeHash: "x", for: { payeeId: payeeId(9) }, expiresAt: NOW });
    await assert.rejects(forNobody, rejectsWith("PAYEE_UNKNOWN"));
    await store.close();
  });

  test(`${name}: a code is made once; those that nobody used in time are taken away, partition by partition`, async () => {
    const store = await open();
    const account = await openAccount(store);
    const code = (codeHash: string, expiresAt: number) =>
      store.createEnrolmentCode({ codeHash, for: { account }, expiresAt });
    const enrol = (codeHash: string, number: number, at = NOW) =>
      store.enrolDevice({
        codeHash,
        deviceId: deviceId(number),
        publicKey: someBytes(number),
        protection: 0,
        label: "phone",
        at,
      });
    for (const [hash, expiresAt] of [
      ["used", NOW],
      ["expired", NOW],
      ["open", NOW + DAY],
    ] as const) {
      assert.equal(await code(hash, expiresAt), "created");
      assert.equal(await code(hash, expiresAt + 9), "exists", "and stays as it is");
    }
    await enrol("used", 81);
    const forget = (hash: string, before: number) =>
      store.forgetExpiredCodes({ partition: partitionOfId(hash), before });
    for (const hash of ["used", "open"]) assert.equal(await forget(hash, NOW + 1), 0, hash);
    assert.equal(await forget("expired", NOW), 0, "it did not expire before then");
    assert.equal(await enrol("expired", 82, NOW + 1), "code-expired");
    assert.equal(await forget("expired", NOW + 1), 1);
    assert.equal(await enrol("expired", 82, NOW + 1), "code-unknown");
    assert.notEqual(typeof (await enrol("used", 81, NOW + 1)), "string", "a lost reply is told again");
    assert.notEqual(typeof (await enrol("open", 83, NOW + 1)), "string");
    await store.close();
  });

  test(`${name}: devices and terminals are frozen one by one`, async () => {
    const store = await open();
    const account = await openAccount(store);
    await enrolDevice(store, account, 50);
    await enrolTerminal(store, 1, 1);
    await store.setDeviceStatus(deviceId(50), "frozen");
    await store.setTerminalStatus(terminalId(1), "frozen");
    assert.equal((await store.device(deviceId(50)))?.status, "frozen");
    assert.equal((await store.device(deviceId(account)))?.status, "active");
    assert.equal((await store.terminal(terminalId(1)))?.status, "frozen");
    const ofPayee = await store.terminalsOf(payeeId(1));
    assert.deepEqual(ofPayee, [await store.terminal(terminalId(1))], "as it is told alone");
    assert.deepEqual(await store.terminalsOf(payeeId(2)), []);
    await assert.rejects(store.setDeviceStatus(deviceId(77), "frozen"), rejectsWith("DEVICE_UNKNOWN"));
    await assert.rejects(store.setTerminalStatus(terminalId(77), "frozen"), rejectsWith("TERMINAL_UNKNOWN"));
    await store.close();
  });

  test(`${name}: a payee is created once`, async () => {
    const store = await open();
    assert.equal(await store.createPayee(aPayee(2)), "created");
    assert.equal(await store.createPayee({ ...aPayee(2), name: "Another" }), "exists");
    await store.createPayee(aPayee(1));
    assert.deepEqual({ ...(await store.payee(payeeId(2))) }, aPayee(2));
    assert.equal(await store.payee(payeeId(3)), undefined);
    assert.deepEqual(
      (await store.payees()).map((payee) => payee.payeeId),
      ["SHOP-1", "SHOP-2"],
    );
    await store.close();
  });

  test(`${name}: a terminal's current certificate is the one issued last`, async () => {
    const store = await open();
    await enrolTerminal(store, 1, 1);
    assert.equal((await store.terminal(terminalId(1)))?.payeeCertificate, undefined);
    const certificate = (number: number, issuedAt: number) => ({
      payeeCertificateId: payeeCertificateId(number),
      terminalId: terminalId(1),
      bytes: someBytes(number),
      issuedAt,
      expiresAt: issuedAt + DAY,
    });
    await store.recordPayeeCertificate(certificate(2, NOW + 5));
    await store.recordPayeeCertificate(certificate(1, NOW));
    assert.deepEqual([...((await store.terminal(terminalId(1)))?.payeeCertificate ?? [])], [...someBytes(2)]);
    await store.recordPayeeCertificate(certificate(3, NOW + 5));
    assert.deepEqual([...((await store.terminal(terminalId(1)))?.payeeCertificate ?? [])], [...someBytes(3)]);
    const unknown = store.recordPayeeCertificate({ ...certificate(4, NOW), terminalId: terminalId(9) });
    await assert.rejects(unknown, rejectsWith("TERMINAL_UNKNOWN"));
    // Every one is found again, under the payee that it was issued for alone.
    const found = async (payee: number, number: number) =>
      store.payeeCertificate(payeeId(payee), payeeCertificateId(number));
    assert.deepEqual([...((await found(1, 1)) ?? [])], [...someBytes(1)]);
    assert.deepEqual([...((await found(1, 3)) ?? [])], [...someBytes(3)]);
    assert.deepEqual([await found(1, 4), await found(2, 1)], [undefined, undefined]);
    await store.close();
  });

  test(`${name}: a nonce is good once, and not after its time`, async () => {
    const store = await open();
    assert.equal(await store.useNonce("a", NOW + 10, NOW), true);
    assert.equal(await store.useNonce("a", NOW + 10, NOW + 10), false);
    assert.equal(await store.useNonce("b", NOW - 1, NOW), false);
    assert.equal(await store.useNonce("a", NOW + 10, NOW + 11), false);
    assert.equal(await store.useNonce("b", NOW + 20, NOW + 11), true);
    await store.close();
  });

  test(`${name}: a clock that is set back, or behind another server's, takes no nonce a second time`, async () => {
    const store = await open();
    assert.equal(await store.useNonce("a", NOW + 10, NOW), true);
    assert.equal(await store.useNonce("b", NOW + 400, NOW + 300), true);
    assert.equal(await store.useNonce("a", NOW + 10, NOW + 5), false);
    await store.close();
  });

  test(`${name}: nothing that was used is forgotten by a clock that may be wrong`, async () => {
    const store = await open();
    assert.equal(await store.useNonce("a", NOW + 10, NOW), true);
    assert.equal(await store.useNonce("b", NOW + 90_000, NOW + 86_400, false), true);
    assert.equal(await store.useNonce("a", NOW + 10, NOW), false);
    await store.close();
  });
}
