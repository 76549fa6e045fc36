import assert from "node:assert/strict";
import { test } from "node:test";
import { writeCode } from "@cairn/messages";
import { eventually } from "./support/issuer.ts";
import type { TestTerminal } from "./support/terminal.ts";
import { EUR, payeeId } from "./support/values.ts";
import { addTerminal, addWallet, makeWorld, type World } from "./support/world.ts";

/** Attackers of docs/security/threat-model.md, against a real server. */
const ORDER = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
const THIEF = payeeId("THIEF");

function settled(terminal: TestTerminal, paymentId: string) {
  return eventually(async () => {
    const outcomes = await terminal.client.outcomes([paymentId as Parameters<typeof terminal.client.outcomes>[0][0]]);
    return outcomes.payments.find(({ state }) => state === "settled");
  });
}

async function clearingOf({ operator }: World, payee: string): Promise<bigint> {
  const line = (await operator.trialBalance()).find(({ ledgerAccount }) => ledgerAccount === `clearing:${payee}`);
  return line?.minor ?? 0n;
}

test("a second signature that anybody can make of the first one buys nothing: the payment is the same", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal } = world;
  await wallet.sync();
  const request = await terminal.request(1_000n);
  const payment = await wallet.pay(request);
  const mirrored = new Uint8Array(payment.bytes);
  const s = BigInt(`0x${Buffer.from(mirrored.subarray(-32)).toString("hex")}`);
  mirrored.set(Buffer.from((ORDER - s).toString(16).padStart(64, "0"), "hex"), mirrored.length - 32);
  assert.notDeepEqual(mirrored, payment.bytes);
  const record = terminal.record(request, wallet.held(), payment);
  const second = terminal.record(request, wallet.held(), { ...payment, bytes: mirrored });
  await terminal.client.upload([record]);
  await settled(terminal, payment.messageId);
  const answer = await terminal.client.upload([second]);
  assert.equal(answer.records[0]?.paymentId, payment.messageId);
  const next = await terminal.request(1n);
  const last = await wallet.pay(next);
  await terminal.client.upload([terminal.record(next, wallet.held(), last)]);
  await settled(terminal, last.messageId);
  assert.equal(await clearingOf(world, "KIOSK"), -1_001n);
  assert.deepEqual(await world.operator.conflicts(), []);
});

test("who steals an upload on its way is credited nothing, with the owner's records or with a body sent again", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal, operator } = world;
  await operator.createPayee({ payeeId: THIEF, name: "Thief", currency: EUR });
  const thief = await addTerminal(world, THIEF);
  await wallet.sync();
  const request = await terminal.request(1_000n);
  const payment = await wallet.pay(request);
  const open = await wallet.payOpen(500n);
  const stolen = [
    terminal.record(request, wallet.held(), payment),
    await terminal.captureRecord(wallet.held(), open, 500n),
  ];
  await thief.client.upload(stolen);
  const codes = await eventually(async () => {
    const { payments } = await thief.client.outcomes([payment.messageId, open.messageId]);
    return payments.every(({ state }) => state !== "received") && payments.map(({ code }) => code);
  });
  for (const code of codes) assert.ok(code === null || code === "RECORD_OF_ANOTHER_PAYEE", String(code));
  assert.equal(await clearingOf(world, THIEF), 0n);
  await terminal.client.upload(stolen);
  for (const { messageId } of [payment, open]) await settled(terminal, messageId);
  assert.deepEqual([await clearingOf(world, THIEF), await clearingOf(world, "KIOSK")], [0n, -1_500n]);
});

test("a call that was overheard is good for nothing a second time", async (t) => {
  const world = await makeWorld(t);
  const bodies: Uint8Array[] = [];
  const plain = globalThis.fetch;
  t.mock.method(globalThis, "fetch", (input: Parameters<typeof fetch>[0], init?: Parameters<typeof fetch>[1]) => {
    if (init?.method === "POST" && init.body instanceof Uint8Array) bodies.push(init.body);
    return plain(input, init);
  });
  await world.wallet.sync();
  const [heard] = bodies;
  assert.ok(heard !== undefined);
  const again = await plain(`${world.issuer.url}/v1/sync`, {
    method: "POST",
    headers: { "content-type": "application/cbor-seq" },
    body: new Uint8Array(heard),
  });
  const { code } = (await again.json()) as { readonly code: string };
  assert.deepEqual([again.status, code], [401, "NONCE_INVALID"]);
});

test("codes of the same figures have the same length, and two devices of one account have no more in common than strangers", async (t) => {
  const world = await makeWorld(t);
  const { operator, terminal, wallet, account } = world;
  const sibling = await addWallet(world, account);
  const { account: other } = await operator.createAccount({ name: "Bob", currency: EUR });
  await operator.topUp(other, { amountMinor: 3_000n, idempotencyKey: "first" });
  await operator.setCredit(other, { lineMinor: 5_000n, overdueMinor: 0n, scoreBand: "A" });
  const stranger = await addWallet(world, other);
  await wallet.sync();
  await stranger.sync();
  await operator.topUp(account, { amountMinor: 9_000n, idempotencyKey: "more" });
  await sibling.sync();
  const lengths: number[] = [];
  const seen: string[] = [];
  for (const each of [wallet, sibling, stranger]) {
    const { bytes: certificate } = each.held();
    const message = (await each.pay(await terminal.request(700n))).bytes;
    lengths.push(writeCode({ type: "payment", certificate, message }).length);
    // All that a payee gets to see of a payer: certificate and payment, signatures and all.
    const hex = Buffer.concat([certificate, message]).toString("hex");
    // Which half of the curve a key lies on is one bit, and two of three keys always agree in it.
    seen.push(hex.replace("22f5", "22f4"));
  }
  assert.equal(new Set(lengths).size, 1);
  const [left = "", right = "", strangers = ""] = seen;
  assert.ok(
    runsOf(left).filter((run) => runsOf(right).includes(run)).length > 10,
    "labels, issuer and terms are common",
  );
  const tag = "1f2e3d4c5b6a7988";
  assert.ok(linkedBytes(left + tag, right + tag, strangers) >= 3, "what links two devices is found");
  assert.ok(linkedBytes(left, right, strangers) < 3);

  /**
   * The most runs in a row that the first two have in common and the third has not. One or two happen by chance: the
   * first byte of two random ids is the same once in 256 times, after three bytes that are the same for everybody.
   */
  function linkedBytes(first: string, second: string, third: string): number {
    const [inSecond, inThird] = [new Set(runsOf(second)), new Set(runsOf(third))];
    let [most, inARow] = [0, 0];
    for (const run of runsOf(first)) {
      inARow = inSecond.has(run) && !inThird.has(run) ? inARow + 1 : 0;
      most = Math.max(most, inARow);
    }
    return most;
  }

  /** Every run of four bytes, in order. */
  function runsOf(hex: string): string[] {
    return Array.from({ length: hex.length / 2 - 3 }, (_, at) => hex.slice(2 * at, 2 * at + 8));
  }
});
