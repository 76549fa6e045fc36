import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { generateNodeSigner } from "@cairn/cose/node";
import { type ServerNonce, terminalIdOf, writeSignedCall } from "@cairn/messages";
import { IssuerClient } from "../src/client/issuer-client.ts";
import { problemDocument } from "../src/http/problems.ts";
import { startTestIssuer } from "./support/issuer.ts";
import { crypto } from "./support/values.ts";
import { makeWorld, type World } from "./support/world.ts";

const NONCE = /^[0-9a-f]{48}$/;

/** How often the server was asked for a nonce while the work was done. */
async function noncesFetched({ logged }: Pick<World, "logged">, work: () => Promise<unknown>): Promise<number> {
  const asked = () => logged.filter((line) => line.includes('"route":"/v1/nonce"')).length;
  const before = asked();
  await work();
  return asked() - before;
}

/** A signed call as it goes over the wire. */
async function outcomesCall({ issuer, terminal, clock }: World, nonce: string): Promise<Response> {
  const { signer } = terminal;
  const call = {
    callerId: terminalIdOf(signer.publicKey, crypto),
    nonce: nonce as ServerNonce,
    content: Uint8Array.of(0x80),
    issuedAt: clock.now,
  };
  const body = await writeSignedCall("outcomes", call, { signer, crypto });
  return fetch(`${issuer.url}/v1/outcomes`, {
    method: "POST",
    headers: { "content-type": "application/cbor-seq" },
    body: new Uint8Array(body),
  });
}

const nonceOf = (answer: Response): string => {
  const nonce = answer.headers.get("replay-nonce") ?? "";
  assert.match(nonce, NONCE);
  return nonce;
};

test("each answer to a signed call brings the nonce for the next one, which is good once", async (t) => {
  const world = await makeWorld(t);
  const { nonce }: { nonce: string } = JSON.parse(await (await fetch(`${world.issuer.url}/v1/nonce`)).text());
  const first = await outcomesCall(world, nonce);
  assert.equal(first.status, 200);
  const second = await outcomesCall(world, nonceOf(first));
  assert.equal(second.status, 200);
  assert.notEqual(nonceOf(second), nonceOf(first));
  const repeated = await outcomesCall(world, nonceOf(first));
  assert.match(await repeated.text(), /"code":"NONCE_INVALID"/);
  // What is turned away brings one too: the next attempt needs nothing else.
  assert.equal((await outcomesCall(world, nonceOf(repeated))).status, 200);
  const unsigned = await fetch(`${world.issuer.url}/v1/uploads`, { method: "POST" });
  assert.equal((await outcomesCall(world, nonceOf(unsigned))).status, 200);
  assert.equal((await fetch(`${world.issuer.url}/v1/nonce`)).headers.get("replay-nonce"), null);
  assert.equal((await fetch(`${world.issuer.url}/v1/status-list`)).headers.get("replay-nonce"), null);
});

test("a client fetches one nonce and goes on with those that it is given, as long as they are young", async (t) => {
  const world = await makeWorld(t);
  const { terminal, clock, issuer } = world;
  const client = new IssuerClient({ url: issuer.url, signer: terminal.signer, crypto, clock });
  const twice = async () => {
    await client.upload([]);
    await client.outcomes([]);
  };
  assert.equal(await noncesFetched(world, twice), 1);
  assert.equal(await noncesFetched(world, twice), 0);
  clock.now += 60;
  assert.equal(await noncesFetched(world, twice), 0);
  clock.now += 61;
  assert.equal(await noncesFetched(world, twice), 1);
  // Calls at once: one has what was given, the others fetch.
  const atOnce = () => Promise.all([client.upload([]), client.outcomes([]), client.upload([])]);
  assert.equal(await noncesFetched(world, atOnce), 2);
});

type Described = {
  readonly tags?: readonly string[];
  readonly responses: Readonly<Record<string, { readonly headers?: Readonly<Record<string, unknown>> }>>;
};

test("the description of the API names the nonce wherever a call is signed", async (t) => {
  const { issuer } = await startTestIssuer(t);
  const text = await (await fetch(`${issuer.url}/openapi.json`)).text();
  const { paths }: { paths: Readonly<Record<string, { post?: Described }>> } = JSON.parse(text);
  let signed = 0;
  for (const [path, { post }] of Object.entries(paths)) {
    if (post?.tags?.includes("devices") !== true) continue;
    signed++;
    const success = Object.entries(post.responses).find(([status]) => status.startsWith("2"))?.[1];
    assert.ok(success?.headers?.["replay-nonce"] !== undefined, path);
  }
  assert.ok(signed >= 12, `${signed} signed calls`);
});

/** A client of a server that gives these as its next nonces, refuses the first so many calls, and how often it was asked. */
async function clientOf(given: { readonly header: string; readonly refusals?: number }) {
  const asked = { nonces: 0, calls: 0 };
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === "/v1/nonce") {
      asked.nonces++;
      response.end(JSON.stringify({ nonce: "cd".repeat(24), expiresAt: 1 }));
      return;
    }
    response.setHeader("replay-nonce", given.header);
    const isRefused = asked.calls++ < (given.refusals ?? 0);
    if (isRefused) response.statusCode = 401;
    response.end(JSON.stringify(isRefused ? problemDocument("NONCE_INVALID") : { payments: [] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = new IssuerClient({ url: `http://127.0.0.1:${port}`, signer: generateNodeSigner(), crypto });
  return { client, asked, close: () => server.close() };
}

test("what is no nonce is not kept", async () => {
  for (const [header, nonces] of [
    ["", 2],
    ["x".repeat(48), 2],
    ["ab".repeat(23), 2],
    ["ab".repeat(24), 1],
  ] as const) {
    const { client, asked, close } = await clientOf({ header });
    await client.outcomes([]);
    await client.outcomes([]);
    close();
    assert.deepEqual(asked, { nonces, calls: 2 }, header);
  }
});

test("a nonce that is refused is replaced by the one in the refusal, once", async () => {
  const { client, asked, close } = await clientOf({ header: "ab".repeat(24), refusals: 3 });
  await assert.rejects(client.outcomes([]), /NONCE_INVALID|nonce/);
  assert.deepEqual(asked, { nonces: 1, calls: 2 });
  await client.outcomes([]);
  assert.deepEqual(asked, { nonces: 1, calls: 4 });
  close();
});
