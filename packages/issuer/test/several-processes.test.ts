import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { MessageId } from "@cairn/messages";
import { hasPostgresServer, startPostgresServer } from "../../../scripts/postgres-server.ts";
import { ClientError } from "../src/client/client-error.ts";
import { OperatorClient } from "../src/client/operator-client.ts";
import { eventually, TestClock } from "./support/issuer.ts";
import { cairn, end } from "./support/processes.ts";
import { TestTerminal } from "./support/terminal.ts";
import { EUR, payeeId } from "./support/values.ts";
import { TestWallet } from "./support/wallet.ts";

const skip = hasPostgresServer() ? false : "no PostgreSQL server for this platform";
const PAYMENTS = 60;

test("servers and workers in processes of their own share one database; whichever is killed, each payment settles once", {
  skip,
}, async (t) => {
  const server = await startPostgresServer({ settings: { fsync: "off" } });
  t.after(() => server.stop());
  const folder = await mkdtemp(join(tmpdir(), "cairn-several-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const store = server.connectionString;
  const at = ["--data", folder, "--log-level", "error"];
  const first = await cairn(t, store, "start", ...at, "--port", "0", "--public-url", "https://issuer.example");
  const second = await cairn(
    t,
    store,
    ...["start", "--api-only", ...at, "--port", "0", "--public-url", "https://issuer.example"],
  );
  const workers = await Promise.all([cairn(t, store, "worker", ...at), cairn(t, store, "worker", ...at)]);

  const clock = new TestClock();
  clock.now = Math.floor(Date.now() / 1_000);
  const token = (await readFile(join(folder, "operator-token"), "utf8")).trim();
  const operators = [first, second].map(({ url }) => new OperatorClient({ url, token }));
  const [operator, other] = operators;
  assert.ok(operator !== undefined && other !== undefined);
  const { account } = await operator.createAccount({ name: "Ada", currency: EUR });
  await other.topUp(account, { amountMinor: 3_000n, idempotencyKey: "first" });
  await operator.setCredit(account, { lineMinor: 5_000n, overdueMinor: 0n, scoreBand: "A" });
  const payee = payeeId("KIOSK");
  await other.createPayee({ payeeId: payee, name: "Harbour Kiosk", currency: EUR });
  const reach = ({ url }: { readonly url: string }) => ({
    issuer: {
      url,
      operatorToken: token,
      apps: [],
      storeLost: new Promise<never>(() => undefined),
      close: async () => undefined,
    },
    clock,
  });
  const wallet = await new TestWallet(reach(second)).enrol((await operator.createDeviceCode(account)).code);
  const tills = await Promise.all(
    [first, second].map(async (server) =>
      new TestTerminal(reach(server)).enrol((await other.createTerminalCode(payee)).code),
    ),
  );
  await wallet.sync();

  const uploads: { readonly till: TestTerminal; readonly record: Uint8Array; readonly paymentId: MessageId }[] = [];
  for (let number = 0; number < PAYMENTS; number++) {
    const till = tills[number % 2];
    assert.ok(till !== undefined);
    const request = await till.request(1n);
    const payment = await wallet.pay(request);
    uploads.push({ till, record: till.record(request, wallet.held(), payment), paymentId: payment.messageId });
  }
  /** As a terminal does: again and again until it is told that its records were received. */
  const upload = ({ till, record }: (typeof uploads)[number]): Promise<unknown> =>
    eventually(async () => {
      try {
        return await till.client.upload([record]);
      } catch (error) {
        assert.ok(error instanceof ClientError, String(error));
        return undefined;
      }
    });
  for (const each of uploads.slice(0, 20)) await upload(each);
  const [doomed, spared] = workers;
  await end(doomed.child, "SIGKILL");
  for (const each of uploads.slice(20, 40)) await upload(each);
  await server.kill();
  await server.restart();
  for (const each of uploads.slice(40)) await upload(each);
  // Sent again, as after a lost answer.
  for (const each of uploads.slice(30, 50)) await upload(each);

  await eventually(async () => {
    const states = await Promise.all(
      uploads.map(async ({ paymentId }) => (await other.evidence(paymentId)).payment?.state),
    );
    return states.every((state) => state === "settled");
  });
  assert.equal((await other.account(account)).balanceMinor, 3_000n - BigInt(PAYMENTS));
  assert.deepEqual((await operator.verifyBooks()).faults, []);
  await Promise.all([spared.child, second.child, first.child].map((child) => end(child, "SIGTERM")));
  assert.deepEqual([spared.child.exitCode, second.child.exitCode, first.child.exitCode], [0, 0, 0]);
});

test("a worker and a server for calls alone need a database for several processes", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cairn-several-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const at = ["--data", folder];
  await assert.rejects(cairn(t, "file:somewhere", "worker", ...at), /STORE_URL_INVALID/);
  await assert.rejects(cairn(t, undefined, "worker", ...at), /STORE_MISSING/);
  await assert.rejects(cairn(t, undefined, "start", "--api-only", ...at), /STORE_MISSING/);
  await assert.rejects(cairn(t, undefined, "start", "--api-only", "--demo", ...at), /OPTIONS_CONTRADICT/);
});
