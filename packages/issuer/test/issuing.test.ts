import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_POLICY } from "@cairn/issue";
import { MemoryIssuerStore } from "@cairn/stores";
import { World } from "./issuing-machine/world.ts";

const SYNC = { kind: "device-online", cause: "sync" } as const;

async function openWorld() {
  const store = new MemoryIssuerStore();
  const world = await World.open(store, DEFAULT_POLICY);
  const account = await world.openAccount();
  await store.topUp({ account, amountMinor: 10_000n, idempotencyKey: "wages", at: world.clock.now });
  return { store, world, account };
}

test("whoever is issued nothing costs no write", async () => {
  const { store, world, account } = await openWorld();
  const { deviceId } = await world.enrol(account, 2, undefined);
  const first = await world.look(deviceId, SYNC);
  assert.equal(first.decision.kind, "issue");
  assert.deepEqual(first.certificates, []);
  store.prepareCertificate = () => Promise.reject(new Error("The account was locked."));
  const second = await world.look(deviceId, SYNC);
  assert.equal(second.decision.kind, "none");
  assert.equal(second.account.balanceMinor, 10_000n);
  assert.deepEqual(
    second.certificates.map(({ certificateId }) => certificateId),
    [first.issued?.certificateId],
  );
  // A refusal is no write either.
  await store.setAccountStatus(account, "frozen");
  world.clock.now += DEFAULT_POLICY.validitySecondsByScoreBand.E + 1;
  assert.equal((await world.look(deviceId, SYNC)).decision.kind, "refuse");
});

test("two devices that ask at the same moment are not both promised the same money", async () => {
  const { store, world, account } = await openWorld();
  const devices = [await world.enrol(account, 2, undefined), await world.enrol(account, 2, undefined)];
  const looks = await Promise.all(devices.map(({ deviceId }) => world.look(deviceId, SYNC)));
  assert.equal(looks.filter(({ decision }) => decision.kind === "issue").length, 1);
  const limits = (await store.certificatesOf(account)).map(({ limitMinor }) => limitMinor);
  assert.equal(limits.length, 1);
  assert.ok((limits[0] ?? 0n) > 0n);
});
