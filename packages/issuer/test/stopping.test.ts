import assert from "node:assert/strict";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import type { MessageId } from "@cairn/messages";
import { ClientError } from "../src/client/client-error.ts";
import { problemDocument } from "../src/http/problems.ts";
import { eventually, startTestIssuer } from "./support/issuer.ts";
import { storeWith } from "./support/store.ts";
import { makeWorld } from "./support/world.ts";

test("stopping under load finishes what runs; what was received settles after the next start, once", async (t) => {
  const world = await makeWorld(t, { settleIntervalMs: 1 });
  const { wallet, terminal } = world;
  await wallet.sync();
  const received = new Set<MessageId>();
  let stopped = false;
  let uploads = 0;
  async function keepUploading(): Promise<void> {
    while (!stopped) {
      const request = await terminal.request(1n);
      const payment = await wallet.pay(request);
      const record = terminal.record(request, wallet.held(), payment);
      try {
        const { records } = await terminal.client.upload([record]);
        if (records[0]?.state === "received") received.add(payment.messageId);
        uploads++;
      } catch (error) {
        assert.ok(error instanceof ClientError, String(error));
        assert.match(error.code, /^(?:SHUTTING_DOWN|ISSUER_UNREACHABLE)$/);
        stopped = true;
      }
    }
  }
  const load = Promise.all([keepUploading(), keepUploading(), keepUploading()]);
  await eventually(async () => uploads > 20);
  await world.issuer.close();
  await world.issuer.close();
  await load;

  const again = await world.restart();
  await eventually(async () => {
    const states = await Promise.all(
      [...received].map(async (id) => (await again.operator.evidence(id)).payment?.state),
    );
    return states.every((state) => state === "settled");
  });
  assert.equal((await again.operator.account(world.account)).balanceMinor, 3_000n - BigInt(received.size));
  assert.deepEqual((await again.operator.verifyBooks()).faults, []);
});

test("a call that runs is finished; one that comes after it on the same connection is told to come again", async (t) => {
  let entered = (): void => undefined;
  let release = (): void => undefined;
  const isInside = new Promise<void>((resolve) => {
    entered = resolve;
  });
  const mayLeave = new Promise<void>((resolve) => {
    release = resolve;
  });
  const store = storeWith(() => ({
    conflicts: async () => {
      entered();
      await mayLeave;
      return [];
    },
  }));
  const { issuer, logged } = await startTestIssuer(t, { store });
  const { port } = new URL(issuer.url);
  const socket = connect(Number(port), "127.0.0.1");
  const head = `host: 127.0.0.1\r\nauthorization: Bearer ${issuer.operatorToken}\r\n\r\n`;
  socket.write(`GET /v1/operator/conflicts HTTP/1.1\r\n${head}`);
  await isInside;
  const closed = issuer.close();
  socket.write(`GET /v1/nonce HTTP/1.1\r\n${head}`);
  await eventually(async () => logged.some((line) => line.includes("SHUTTING_DOWN")));
  release();
  const answers = await text(socket);
  assert.match(answers, /^HTTP\/1\.1 200 OK/);
  const second = answers.indexOf("HTTP/1.1 503");
  assert.ok(second > 0, answers);
  const body = answers.slice(answers.indexOf("\r\n\r\n", second) + 4);
  assert.deepEqual(JSON.parse(body), problemDocument("SHUTTING_DOWN"));
  await closed;
});

test("a data folder serves one process at a time, and a failed start leaves it free", async (t) => {
  const world = await makeWorld(t);
  await assert.rejects(startTestIssuer(t, { dataFolder: world.folder, passphrase: "another one" }));
  await assert.rejects(world.restart({ passphrase: "another one" }), { code: "KEY_FILE_PASSPHRASE_WRONG" });
  const again = await world.restart();
  assert.equal((await again.operator.accounts()).length, 1);
});
