import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { encodeCbor, publicKeyToCbor } from "@cairn/cose";
import { type CallPurpose, deviceIdOf, writeSignedCall } from "@cairn/messages";
import { openPostgresIssuerStore } from "@cairn/stores";
import { hasPostgresServer, startPostgresServer } from "../../../scripts/postgres-server.ts";
import { eventually, startIn } from "./support/issuer.ts";
import { crypto, EUR } from "./support/values.ts";
import { TestWallet } from "./support/wallet.ts";
import { addTerminal, makeWorld, type World } from "./support/world.ts";

/**
 * Attackers of docs/security/threat-model.md who do the same thing many times in one moment, at every server of an
 * issuer: what is looked at first and written afterwards would be looked at by all of them before anything is written.
 */
type Town = World & { readonly servers: readonly string[] };
const AT_ONCE = 8;

async function withSqlite(t: TestContext): Promise<Town> {
  const world = await makeWorld(t);
  return { ...world, servers: [world.issuer.url] };
}

/** Two servers that share keys and database. */
async function withPostgres(t: TestContext): Promise<Town> {
  const database = await startPostgresServer({ settings: { fsync: "off" } });
  const open = () => openPostgresIssuerStore({ connectionString: database.connectionString });
  const world = await makeWorld(t, { store: await open() });
  const other = await startIn(t, world.folder, world.clock, { store: await open() });
  // The database ends last: it waits for whoever is connected to it.
  t.after(async () => {
    for (const { issuer } of [world, other]) await issuer.close();
    await database.stop();
  });
  return { ...world, servers: [world.issuer.url, other.issuer.url] };
}

const skip = hasPostgresServer() ? false : "no PostgreSQL server for this platform";
const STORES = [
  { name: "SQLite", openTown: withSqlite, skip: false },
  { name: "PostgreSQL, two servers", openTown: withPostgres, skip },
] as const;

/** Each of them at the same moment, at one server after the other: how often which code came back, "" for success. */
async function atOnce({ servers }: Town, path: string, bodies: readonly Uint8Array[]): Promise<Map<string, number>> {
  const codes = await Promise.all(
    bodies.map(async (body, index) => {
      const answer = await fetch(`${servers[index % servers.length]}${path}`, {
        method: "POST",
        headers: { "content-type": "application/cbor-seq" },
        body: new Uint8Array(body),
      });
      const { code = "" } = (await answer.json()) as { readonly code?: string };
      return answer.status === 200 ? "" : code;
    }),
  );
  return new Map([...Map.groupBy(codes, (code) => code)].map(([code, its]) => [code, its.length]));
}

async function signed(
  { signer, client }: Pick<TestWallet, "signer" | "client">,
  purpose: CallPurpose,
  content: Uint8Array = new Uint8Array(),
): Promise<Uint8Array> {
  const callerId = deviceIdOf(signer.publicKey, crypto);
  const call = { callerId, nonce: await client.nonce(), content, issuedAt: 1 };
  return writeSignedCall(purpose, call, { signer, crypto });
}

const times = <Value>(make: (index: number) => Value): readonly Value[] =>
  Array.from({ length: AT_ONCE }, (_, index) => make(index));

for (const { name, openTown, skip } of STORES)
  test(`what is sent many times in one moment counts once: ${name}`, { skip }, async (t) => {
    const town = await openTown(t);
    const { operator, account, wallet, terminal } = town;

    await t.test("an overheard call", async () => {
      const heard = await signed(wallet, "sync");
      const codes = await atOnce(
        town,
        "/v1/sync",
        times(() => heard),
      );
      assert.deepEqual([codes.get(""), codes.get("NONCE_INVALID")], [1, AT_ONCE - 1]);
    });

    await t.test("asking for a certificate", async () => {
      const { account: bob } = await operator.createAccount({ name: "Bob", currency: EUR });
      await operator.topUp(bob, { amountMinor: 3_000n, idempotencyKey: "first" });
      const phone = await new TestWallet(town).enrol((await operator.createDeviceCode(bob)).code);
      assert.equal(
        (await atOnce(town, "/v1/sync", await Promise.all(times(() => signed(phone, "sync"))))).get(""),
        AT_ONCE,
      );
      const limits = (await operator.certificates(bob)).map(({ limitMinor }) => limitMinor);
      assert.ok(limits.length > 0);
      const promised = limits.reduce((sum, limitMinor) => sum + limitMinor, 0n);
      assert.ok(promised <= 3_000n, `${promised} of 3000 promised, in ${limits.length} certificates`);
    });

    await t.test("an enrolment code, by as many keys", async () => {
      const { code } = await operator.createDeviceCode(account);
      const calls = times(() => {
        const thief = new TestWallet(town);
        return signed(thief, "enrolment", encodeCbor([code, publicKeyToCbor(thief.signer.publicKey), 0, "phone"]));
      });
      const before = (await wallet.client.devices()).length;
      assert.equal((await atOnce(town, "/v1/enrolments/device", await Promise.all(calls))).get(""), 1);
      assert.equal((await wallet.client.devices()).length, before + 1);
    });

    await t.test("a payment, brought by two tills and its payer, and all of it given back by both", async () => {
      await wallet.sync();
      const second = await addTerminal(town);
      const request = await terminal.request(1_000n);
      const payment = await wallet.pay(request);
      const record = terminal.record(request, wallet.held(), payment);
      await Promise.all([
        ...times((index) => (index % 2 === 0 ? terminal : second).client.upload([record])),
        wallet.client.sync({ records: [wallet.record(payment, { request })] }),
      ]);
      const paymentId = payment.messageId;
      await eventually(async () => (await terminal.client.outcomes([paymentId])).payments[0]?.state === "settled");
      const { balanceMinor } = await operator.account(account);
      const refunds = await Promise.allSettled(
        times((index) =>
          (index % 2 === 0 ? terminal : second).client.refund({ paymentId, amountMinor: 1_000n, key: `k${index}` }),
        ),
      );
      assert.equal(refunds.filter(({ status }) => status === "fulfilled").length, 1);
      for (const refund of refunds)
        if (refund.status === "rejected") assert.equal(refund.reason.code, "REFUND_EXCEEDS_PAYMENT");
      assert.equal((await operator.account(account)).balanceMinor, balanceMinor + 1_000n);
      const clearing = (await operator.trialBalance()).find(({ ledgerAccount }) => ledgerAccount === "clearing:KIOSK");
      assert.equal(clearing?.minor ?? 0n, 0n);
      assert.deepEqual((await operator.verifyBooks()).faults, []);
    });
  });
