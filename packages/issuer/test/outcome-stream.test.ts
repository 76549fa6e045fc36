import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCbor } from "@cairn/cose";
import { fromHex, type MessageId, terminalIdOf, writeSignedCall } from "@cairn/messages";
import { TestTerminal } from "./support/terminal.ts";
import { crypto } from "./support/values.ts";
import { makeWorld, type World } from "./support/world.ts";

async function follow(world: World, terminal: TestTerminal, paymentIds: readonly MessageId[]): Promise<Response> {
  const call = {
    callerId: terminalIdOf(terminal.signer.publicKey, crypto),
    nonce: await terminal.client.nonce(),
    content: encodeCbor(paymentIds.map((paymentId) => fromHex(paymentId))),
    issuedAt: 1,
  };
  const body = await writeSignedCall("outcomes", call, { signer: terminal.signer, crypto });
  const headers = { "content-type": "application/cbor-seq" };
  return fetch(`${world.issuer.url}/v1/outcomes/stream`, { method: "POST", headers, body: new Uint8Array(body) });
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
