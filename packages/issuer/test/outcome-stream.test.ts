import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { test } from "node:test";
import { encodeCbor } from "@cairn/cose";
import { fromHex, type MessageId, terminalIdOf, writeSignedCall } from "@cairn/messages";
import { eventually } from "./support/issuer.ts";
import { TestTerminal } from "./support/terminal.ts";
import { crypto } from "./support/values.ts";
import { addTerminal, makeWorld, type World } from "./support/world.ts";

async function callFor(terminal: TestTerminal, paymentIds: readonly MessageId[]): Promise<Uint8Array<ArrayBuffer>> {
  const call = {
    callerId: terminalIdOf(terminal.signer.publicKey, crypto),
    nonce: await terminal.client.nonce(),
    content: encodeCbor(paymentIds.map((paymentId) => fromHex(paymentId))),
    issuedAt: 1,
  };
  return new Uint8Array(await writeSignedCall("outcomes", call, { signer: terminal.signer, crypto }));
}

const POST = { method: "POST", headers: { "content-type": "application/cbor-seq" } };

async function follow(world: World, terminal: TestTerminal, paymentIds: readonly MessageId[]): Promise<Response> {
  return fetch(`${world.issuer.url}/v1/outcomes/stream`, { ...POST, body: await callFor(terminal, paymentIds) });
}

/** The states of `outcome` events in their order, then what `end` said. */
function told(text: string): unknown[] {
  return [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, name, data]) => {
    const { state, open } = JSON.parse(data ?? "");
    return name === "outcome" ? state : { open };
  });
}

test("outcomes are told as they happen, until all of them are final", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal } = world;
  await wallet.sync();
  const request = await terminal.request(1_000n);
  const payment = await wallet.pay(request);
  const response = await follow(world, terminal, [payment.messageId]);
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const first = (await reader?.read())?.value ?? "";
  assert.deepEqual(told(first), ["unknown"]);
  await terminal.client.upload([terminal.record(request, wallet.held(), payment)]);
  let rest = "";
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) rest += part.value;
  const news = told(rest);
  assert.deepEqual(news.slice(-2), ["settled", { open: 0 }]);
  assert.ok(news.length === 2 || (news.length === 3 && news[0] === "received"), rest);
});

test("a stream ends when the server stops, and says how many payments are still open", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal } = world;
  await wallet.sync();
  const { messageId } = await wallet.pay(await terminal.request(1_000n));
  const response = await follow(world, terminal, [messageId]);
  const [text] = await Promise.all([response.text(), world.issuer.close()]);
  assert.deepEqual(told(text), ["unknown", { open: 1 }]);
});

test("a stream is refused like any other call", async (t) => {
  const world = await makeWorld(t);
  const stranger = new TestTerminal(world);
  const response = await follow(world, stranger, []);
  const { code } = JSON.parse(await response.text());
  assert.deepEqual([response.status, code], [401, "CALLER_UNKNOWN"]);
});

test("one caller has no more than four open, others have theirs, and one that ends makes room", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal } = world;
  await wallet.sync();
  const { messageId } = await wallet.pay(await terminal.request(1_000n));
  const open = await Promise.all(Array.from({ length: 4 }, () => follow(world, terminal, [messageId])));
  assert.deepEqual(new Set(open.map(({ status }) => status)), new Set([200]));
  const refused = await follow(world, terminal, [messageId]);
  assert.deepEqual([refused.status, JSON.parse(await refused.text()).code], [503, "PUSH_FULL"]);
  const other = await addTerminal(world);
  const theirs = await follow(world, other, [messageId]);
  assert.equal(theirs.status, 200);
  await open[0]?.body?.cancel();
  await eventually(async () => {
    const again = await follow(world, terminal, [messageId]);
    if (again.status !== 200) await again.text();
    else await again.body?.cancel();
    return again.status === 200 ? true : undefined;
  });
  for (const each of [...open.slice(1), theirs]) await each.body?.cancel();
});

test("whoever hangs up before the first word leaves no seat taken", async (t) => {
  const world = await makeWorld(t);
  const { terminal } = world;
  for (let call = 0; call < 20; call++) {
    const body = await callFor(terminal, []);
    await new Promise<void>((resolve) => {
      const call = httpRequest(`${world.issuer.url}/v1/outcomes/stream`, POST);
      call.on("error", () => undefined).on("close", resolve);
      // The server has the call, and is looking up who called.
      call.end(body, () => setImmediate(() => call.destroy()));
    });
  }
  await eventually(async () => (await follow(world, terminal, [])).status === 200);
});
