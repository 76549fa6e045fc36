import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { type AccountNumber, partitionOf } from "@cairn/issue";
import { currency, type PayeeId } from "@cairn/messages";
import type { LedgerEntry } from "@cairn/settle";
import { type IssuerStore, partitionOfId, SqliteIssuerStore } from "@cairn/stores";
import { ReceiverCredits } from "../src/services/receiver-credits.ts";
import { makeReceiverId } from "../src/services/receiver-ids.ts";

const EUR = currency("EUR");
const clock = { nowSeconds: () => 0 };
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

test("whoever waits for what was settled before waits for the rounds that see it, and for no later one", async () => {
  const begun: PromiseWithResolvers<[]>[] = [];
  const operationRecords = (): Promise<[]> => {
    const round = Promise.withResolvers<[]>();
    begun.push(round);
    return round.promise;
  };
  const store = { operationRecords } as Partial<IssuerStore> as IssuerStore;
  const credits = new ReceiverCredits({ store, clock, log, onCredited: () => undefined });
  await credits.caughtUp();
  assert.equal(begun.length, 0, "nothing was settled");

  const told: string[] = [];
  const wait = (name: string): void => void credits.caughtUp().then(() => told.push(name));
  credits.wake();
  wait("in the first round");
  credits.wake();
  wait("after the first had begun");
  await setImmediate();
  assert.deepEqual(told, []);
  begun[0]?.resolve([]);
  await setImmediate();
  assert.deepEqual(told, ["in the first round"]);
  credits.wake();
  begun[1]?.resolve([]);
  await setImmediate();
  assert.deepEqual(told, ["in the first round", "after the first had begun"], "a third round is under way");
  assert.equal(begun.length, 3);
  begun[2]?.resolve([]);
  await credits.idle();
});

/** An account with money, and one that receives as a payee, in another partition or in the same one. */
async function twoPeople(store: IssuerStore, isNear: boolean) {
  const open = () => store.createAccount({ name: "", currency: EUR, createdAt: 0 });
  const payer = await open();
  await store.topUp({ account: payer, amountMinor: 1_000n, idempotencyKey: "first", at: 0 });
  let receiver = await open();
  while ((partitionOf(receiver) === partitionOf(payer)) !== isNear) receiver = await open();
  let next = 0;
  const random = { bytes: (length: number) => createHash("sha256").update(`${next++}`).digest().subarray(0, length) };
  const payeeId = makeReceiverId(partitionOf(receiver), random);
  assert.equal(partitionOfId(payeeId), partitionOf(receiver));
  const body = JSON.stringify({ account: receiver, moves: 0 });
  const records = [{ kind: "receiver" as const, id: payeeId, body }];
  await store.move({ partition: partitionOf(receiver) }, () => ({ result: undefined, records }));
  return { payer, receiver, payeeId };
}

/** Leaves in clearing what settlement does, by an entry that needs no offline payment beside it. */
async function pay(store: IssuerStore, payer: AccountNumber, payeeId: PayeeId, number: number) {
  const postings = [
    { ledgerAccount: { kind: "wallet" as const, account: payer }, minor: 10n },
    { ledgerAccount: { kind: "clearing" as const, payeeId }, minor: -10n },
  ];
  const reference = `online-payment:${number}`;
  const entry: LedgerEntry = { kind: "online-payment", reference, currency: EUR, postedAt: 0, postings };
  await store.move({ partition: partitionOf(payer) }, () => ({ result: undefined, entries: [entry] }));
  return entry;
}

/** A store that fails when it is asked for what grows with the accounts, or once in the given movement of money. */
function watched(store: IssuerStore, failing = { move: Number.POSITIVE_INFINITY }): IssuerStore {
  const tooMuch = ["operationRecords", "ledgerBalances", "sweepsUnderway"];
  return new Proxy(store, {
    get(of, name) {
      if (tooMuch.includes(String(name))) return () => assert.fail(`${String(name)} reads everybody's`);
      if (name === "move" && failing.move-- === 0) return () => Promise.reject(new Error("cut off"));
      const member: unknown = Reflect.get(of, name);
      return typeof member === "function" ? member.bind(of) : member;
    },
  });
}

for (const isNear of [false, true])
  test(`what settlement left for a person is credited without a look at others, ${isNear ? "at home" : "from afar"}`, async () => {
    const store = new SqliteIssuerStore(":memory:");
    const { payer, receiver, payeeId } = await twoPeople(store, isNear);
    const told: AccountNumber[] = [];
    const credits = new ReceiverCredits({
      store: watched(store),
      clock,
      log: { ...log, error: (facts: object) => assert.fail(JSON.stringify(facts, (_, value) => String(value))) },
      onCredited: (account) => told.push(account),
    });
    const settled = async (entries: readonly LedgerEntry[]): Promise<bigint | undefined> => {
      credits.settled(partitionOf(payer), entries);
      await credits.caughtUp();
      return (await store.account(receiver))?.balanceMinor;
    };
    const shops = await pay(store, payer, "SHOP" as PayeeId, 0);
    const [first, second] = [await pay(store, payer, payeeId, 1), await pay(store, payer, payeeId, 2)];
    assert.equal(await settled([shops, first, second]), 20n);
    assert.equal(await settled([second]), 20n, "once");
    assert.equal(await settled([await pay(store, payer, payeeId, 3)]), 30n);
    assert.deepEqual(told, [receiver, receiver]);
    assert.deepEqual((await store.verifyBooks()).faults, []);
    await store.close();
  });

test("what was cut off on its way to a person comes home with what follows", async () => {
  for (let move = 0; move < 4; move++) {
    const store = new SqliteIssuerStore(":memory:");
    const { payer, receiver, payeeId } = await twoPeople(store, false);
    let failures = 0;
    const credits = new ReceiverCredits({
      store: watched(store, { move }),
      clock,
      log: { ...log, error: () => void failures++ },
      onCredited: () => undefined,
    });
    for (const number of [1, 2]) {
      credits.settled(partitionOf(payer), [await pay(store, payer, payeeId, number)]);
      await credits.caughtUp();
    }
    assert.equal(failures, 1, `movement ${move}`);
    assert.equal((await store.account(receiver))?.balanceMinor, 20n, `movement ${move}`);
    await store.close();
  }
});
