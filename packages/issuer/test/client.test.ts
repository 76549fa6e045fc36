import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import { generateNodeSigner } from "@cairn/cose/node";
import { ClientError } from "../src/client/client-error.ts";
import { IssuerClient } from "../src/client/issuer-client.ts";
import { problemDocument } from "../src/http/problems.ts";
import { crypto } from "./support/values.ts";
import { makeWorld } from "./support/world.ts";

const failsWith = (code: string) => (error: unknown) => error instanceof ClientError && error.code === code;
const NONCE = JSON.stringify({ nonce: "ab".repeat(24), expiresAt: 1 });

/** A server that answers as told, to see what the client makes of it. */
async function serverThat(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    request.resume();
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

const clientOf = (url: string, timeoutMs = 5_000) =>
  new IssuerClient({ url, signer: generateNodeSigner(), crypto, timeoutMs });

test("a nonce that was used up is replaced once, not for ever", async (t) => {
  let nonces = 0;
  let calls = 0;
  const url = await serverThat(t, (request, response) => {
    if (request.url === "/v1/nonce") {
      nonces++;
      response.end(NONCE);
      return;
    }
    calls++;
    response.statusCode = 401;
    response.end(JSON.stringify(problemDocument("NONCE_INVALID")));
  });
  await assert.rejects(clientOf(url).upload([]), failsWith("NONCE_INVALID"));
  assert.deepEqual([nonces, calls], [2, 2]);
});

test("a problem keeps its code, its sentence and its detail", async (t) => {
  const url = await serverThat(t, (_request, response) => {
    response.statusCode = 400;
    response.end(JSON.stringify(problemDocument("CALL_MALFORMED", "CBOR_TRUNCATED")));
  });
  await assert.rejects(clientOf(url).nonce(), (error) => {
    assert.ok(error instanceof ClientError);
    assert.deepEqual(
      [error.code, error.problem?.status, error.problem?.detail],
      ["CALL_MALFORMED", 400, "CBOR_TRUNCATED"],
    );
    assert.match(error.message, /damaged.*CBOR_TRUNCATED/);
    return true;
  });
});

test("what is no issuer's answer is said to be none", async (t) => {
  const bodies = [
    "",
    "<html>",
    "{}",
    JSON.stringify({ nonce: "xyz", expiresAt: 1 }),
    JSON.stringify({ nonce: 1, expiresAt: 1 }),
  ];
  for (const status of [200, 500]) {
    for (const body of bodies) {
      const url = await serverThat(t, (_request, response) => {
        response.statusCode = status;
        response.end(body);
      });
      await assert.rejects(clientOf(url).nonce(), failsWith("ISSUER_REPLY_INVALID"));
    }
  }
});

test("an answer without end is cut off", async (t) => {
  const url = await serverThat(t, (_request, response) => {
    const chunk = Buffer.alloc(1_048_576, "a");
    const more = (): void => {
      while (response.write(chunk));
    };
    response.on("drain", more);
    more();
  });
  await assert.rejects(clientOf(url).nonce(), failsWith("ISSUER_REPLY_INVALID"));
});

test("silence, absence and nonsense each have a code", async (t) => {
  const silent = await serverThat(t, () => undefined);
  await assert.rejects(clientOf(silent, 50).nonce(), failsWith("ISSUER_TIMEOUT"));
  await assert.rejects(clientOf("http://127.0.0.1:1").nonce(), failsWith("ISSUER_UNREACHABLE"));
  for (const url of ["", "issuer", "ftp://issuer.example"])
    assert.throws(() => clientOf(url), failsWith("ISSUER_URL_INVALID"));
});

test("a signed call is never carried on to another server", async (t) => {
  let reached = false;
  const other = await serverThat(t, (_request, response) => {
    reached = true;
    response.end(NONCE);
  });
  const url = await serverThat(t, (_request, response) => {
    response.writeHead(307, { location: `${other}/v1/nonce` }).end();
  });
  await assert.rejects(clientOf(url).nonce(), failsWith("ISSUER_UNREACHABLE"));
  assert.equal(reached, false);
});

test("an issuer under a path is found there", async (t) => {
  const asked: (string | undefined)[] = [];
  const url = await serverThat(t, (request, response) => {
    asked.push(request.url);
    response.end(NONCE);
  });
  await clientOf(`${url}/bank/`).nonce();
  await clientOf(`${url}/bank`).nonce();
  assert.deepEqual(asked, ["/bank/v1/nonce", "/bank/v1/nonce"]);
});

test("the newest certificates held are named, as many as the server takes", async (t) => {
  const { wallet } = await makeWorld(t);
  await wallet.sync();
  const { certificateId } = wallet.held().content;
  const holds = [certificateId, ...Array.from({ length: 30 }, () => certificateId)];
  assert.equal((await wallet.client.sync({ records: [], holds })).certificate, null);
});
