import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCbor, publicKeyToCbor, type Signer } from "@cairn/cose";
import { generateNodeSigner } from "@cairn/cose/node";
import {
  type CallPurpose,
  currency,
  deviceIdOf,
  type MessageId,
  type ServerNonce,
  writeSignedCall,
} from "@cairn/messages";
import { eventually } from "./support/issuer.ts";
import type { TestTerminal } from "./support/terminal.ts";
import { crypto, payeeId } from "./support/values.ts";
import { addTerminal, makeWorld, type World } from "./support/world.ts";

/** Attackers of docs/security/threat-model.md with calls that are signed, at a real server. */
type Sent = { readonly status: number; readonly code: string | undefined };

async function send({ issuer }: World, path: string, body: Uint8Array): Promise<Sent> {
  const headers = { "content-type": "application/cbor-seq" };
  const answer = await fetch(issuer.url + path, { method: "POST", headers, body: new Uint8Array(body) });
  const said: { readonly code?: string } = path.endsWith("/stream") && answer.ok ? {} : JSON.parse(await answer.text());
  return { status: answer.status, code: said.code };
}

/** As whom it calls, and who signs it. */
async function signed(
  world: World,
  purpose: CallPurpose,
  { as, by, content = new Uint8Array() }: { readonly as: Signer; readonly by: Signer; readonly content?: Uint8Array },
): Promise<Uint8Array> {
  const callerId = deviceIdOf(as.publicKey, crypto);
  const { nonce } = (await (await fetch(`${world.issuer.url}/v1/nonce`)).json()) as { readonly nonce: ServerNonce };
  const call = { callerId, nonce, content, issuedAt: 1 };
  return writeSignedCall(purpose, call, { signer: by, crypto });
}

const own = (signer: Signer, content?: Uint8Array) => ({ as: signer, by: signer, ...(content && { content }) });

/** The state of a payment, as soon as everything that was brought of it was judged. */
async function judged({ operator }: World, paymentId: MessageId, records: number) {
  return eventually(async () => {
    const found = await operator.evidence(paymentId).catch(() => undefined);
    if (found?.records.length !== records || found.records.some(({ decidedAt }) => decidedAt === null)) return false;
    return [found.payment?.state, found.payment?.code ?? null];
  });
}

test("a call that was overheard is good for nothing after the server was started again, whatever it asked for", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal } = world;
  await wallet.sync();
  const request = await terminal.request(700n);
  const paid = await wallet.pay(request);
  await terminal.client.upload([terminal.record(request, wallet.held(), paid)]);
  await judged(world, paid.messageId, 1);
  const refund = encodeCbor([Buffer.from(paid.messageId, "hex"), 100, "a"]);
  const heard = [
    ["/v1/sync", await signed(world, "sync", own(wallet.signer)), 200],
    ["/v1/uploads", await signed(world, "upload", own(terminal.signer)), 202],
    ["/v1/refunds", await signed(world, "refund", own(terminal.signer, refund)), 200],
    ["/v1/devices", await signed(world, "devices", own(wallet.signer)), 200],
  ] as const;
  for (const [path, body, status] of heard) assert.equal((await send(world, path, body)).status, status, path);
  const again = { ...world, ...(await world.restart()) };
  for (const [path, body] of heard)
    assert.deepEqual(await send(again, path, body), { status: 401, code: "NONCE_INVALID" }, path);
  const unsent = await signed(again, "sync", own(wallet.signer));
  const third = { ...again, ...(await again.restart()) };
  assert.equal((await send(third, "/v1/sync", unsent)).status, 200, "what was not sent before still counts");
});

test("nobody calls under another's id, or enrols another's key, and whoever tries spends nothing of the other's", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal, operator, account } = world;
  const second = await addTerminal(world);
  const [mine, its] = [terminal.signer, second.signer];
  for (const [as, by] of [
    [mine, its],
    [its, mine],
  ] as const)
    assert.deepEqual(await send(world, "/v1/uploads", await signed(world, "upload", { as, by })), {
      status: 401,
      code: "CALL_SIGNATURE_INVALID",
    });
  const { code } = await operator.createDeviceCode(account);
  const victim = generateNodeSigner();
  const thief = generateNodeSigner();
  const wanted = (key: Signer) => encodeCbor([code, publicKeyToCbor(key.publicKey), 0, "phone"]);
  const tries = [
    { as: victim, by: thief, content: wanted(victim) },
    { as: thief, by: thief, content: wanted(victim) },
    { as: victim, by: victim, content: wanted(thief) },
  ];
  for (const one of tries)
    assert.equal(
      (await send(world, "/v1/enrolments/device", await signed(world, "enrolment", one))).code,
      "CALL_SIGNATURE_INVALID",
    );
  // One key is a device's or a terminal's: nobody is both.
  for (const known of [wallet.signer, terminal.signer]) {
    const body = await signed(world, "enrolment", own(known, wanted(known)));
    assert.equal((await send(world, "/v1/enrolments/device", body)).code, "KEY_ALREADY_ENROLLED");
  }
  const body = await signed(world, "enrolment", own(victim, wanted(victim)));
  assert.equal((await send(world, "/v1/enrolments/terminal", body)).code, "ENROLMENT_CODE_INVALID");
  const right = await signed(world, "enrolment", own(victim, wanted(victim)));
  assert.equal((await send(world, "/v1/enrolments/device", right)).status, 200, "the code was nobody's until now");
});

test("whatever is nested without end is turned away at every route, at once", async (t) => {
  const world = await makeWorld(t, { enrolmentAttempts: { perAddressPerMinute: 99, overallPerMinute: 99 } });
  const { wallet, terminal } = world;
  const deep = new Uint8Array(100_000).fill(0x81);
  deep[deep.length - 1] = 1;
  const maps = Uint8Array.from({ length: 100_000 }, (_, at) => (at % 2 === 0 ? 0xa1 : 0x01));
  const tagged = new Uint8Array(100_000).fill(0xc1);
  const routes: readonly (readonly [string, CallPurpose, Signer])[] = [
    ["/v1/sync", "sync", wallet.signer],
    ["/v1/uploads", "upload", terminal.signer],
    ["/v1/outcomes", "outcomes", terminal.signer],
    ["/v1/outcomes/stream", "outcomes", terminal.signer],
    ["/v1/refunds", "refund", terminal.signer],
    ["/v1/losses", "loss", wallet.signer],
    ["/v1/receiving", "receiving", wallet.signer],
    ["/v1/enrolments/device", "enrolment", generateNodeSigner()],
    ["/v1/enrolments/terminal", "enrolment", generateNodeSigner()],
  ];
  for (const [path, purpose, signer] of routes)
    for (const content of [deep, maps, tagged]) {
      assert.deepEqual(
        await send(world, path, await signed(world, purpose, own(signer, content))),
        { status: 400, code: "CALL_MALFORMED" },
        path,
      );
      assert.equal((await send(world, path, content)).code, "CALL_MALFORMED", path);
    }
  for (const content of [deep, maps, tagged])
    assert.equal((await send(world, "/v1/uploads/stream", content)).code, "CALL_MALFORMED");
  assert.equal(world.logged.filter((line) => line.includes("call failed")).length, 0);
});

test("a payer's certificate of one currency buys nothing of a payee in another", async (t) => {
  const world = await makeWorld(t);
  const { wallet, operator } = world;
  const yen = currency("JPY");
  await operator.createPayee({ payeeId: payeeId("TOKYO"), name: "Tokyo", currency: yen });
  const till = await addTerminal(world, payeeId("TOKYO"));
  await wallet.sync();
  const request = await till.request(700n);
  const paid = await wallet.pay(request);
  const open = await wallet.payOpen(500n);
  await till.client.upload([
    till.record(request, wallet.held(), paid),
    await till.captureRecord(wallet.held(), open, 500n),
  ]);
  for (const { messageId } of [paid, open])
    assert.deepEqual(await judged(world, messageId, 1), ["refused", "CURRENCY_MISMATCH"]);
  // With a request in the payer's currency the till contradicts its own certificate.
  const disguised = await till.request(300n, { currency: wallet.held().content.terms.currency });
  const second = await wallet.pay(disguised);
  await till.client.upload([till.record(disguised, wallet.held(), second)]);
  assert.deepEqual(await judged(world, second.messageId, 1), ["refused", "CURRENCY_MISMATCH"]);
  assert.deepEqual(await operator.conflicts(), []);
  assert.deepEqual((await operator.verifyBooks()).faults, []);
});

test("receipts that were swapped, a larger capture after a smaller one, a refund of what is held: none moves money", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal, operator, clock } = world;
  await wallet.sync();

  await t.test("each payment brought by its payer with the other one's receipt", async () => {
    const bought = [];
    for (const minor of [300n, 300n]) {
      const request = await terminal.request(minor);
      bought.push({ request, paid: await wallet.pay(request) });
    }
    const receipts = await Promise.all(bought.map(({ paid }) => terminal.receipt(paid, 300n)));
    const records = bought.map(({ request, paid }, index) =>
      wallet.record(paid, { request, receipt: receipts[1 - index] as Uint8Array }),
    );
    await wallet.client.sync({ records });
    for (const { paid } of bought) {
      await eventually(async () => (await operator.evidence(paid.messageId)).records[0]?.code === "RECEIPT_MISMATCH");
      assert.equal((await operator.evidence(paid.messageId)).payment, null);
    }
  });

  await t.test("the same till's second word on an open payment", async () => {
    const open = await wallet.payOpen(900n);
    await terminal.client.upload([await terminal.captureRecord(wallet.held(), open, 200n)]);
    assert.deepEqual(await judged(world, open.messageId, 1), ["settled", null]);
    await terminal.client.upload([await terminal.captureRecord(wallet.held(), open, 900n)]);
    assert.deepEqual(await judged(world, open.messageId, 2), ["settled", null]);
    assert.equal((await terminal.client.outcomes([open.messageId])).payments[0]?.takenMinor, 200n);
  });

  await t.test("a refund of a payment that a person has not looked at yet, and of one that was rejected", async () => {
    const request = await terminal.request(100n);
    const paid = await wallet.pay(request);
    clock.now += 90 * 86_400;
    await terminal.client.upload([terminal.record(request, wallet.held(), paid)]);
    assert.deepEqual(await judged(world, paid.messageId, 1), ["held", "UPLOAD_TOO_LATE"]);
    const giveBack = (till: TestTerminal) =>
      assert.rejects(till.client.refund({ paymentId: paid.messageId, amountMinor: 1n, key: "a" }), {
        code: "PAYMENT_NOT_SETTLED",
      });
    await giveBack(terminal);
    await operator.review(paid.messageId, { decision: "reject", reason: "late" });
    await giveBack(terminal);
  });
  assert.deepEqual((await operator.verifyBooks()).faults, []);
});
