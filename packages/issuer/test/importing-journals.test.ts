import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ClientError } from "../src/client/client-error.ts";
import { eventually, startTestIssuer } from "./support/issuer.ts";
import { cairn } from "./support/processes.ts";
import { openTill } from "./support/till.ts";
import { EUR } from "./support/values.ts";
import { addWallet, KIOSK } from "./support/world.ts";

/** A till that took two payments, and the journal that it exported before it broke. */
async function brokenTill(t: TestContext) {
  const at = await startTestIssuer(t);
  await at.operator.createPayee({ payeeId: KIOSK, name: "Harbour Kiosk", currency: EUR });
  const { account } = await at.operator.createAccount({ name: "Ada", currency: EUR });
  await at.operator.topUp(account, { amountMinor: 5_000n, idempotencyKey: "first" });
  const wallet = await addWallet(at, account);
  await wallet.sync();
  const till = await openTill(at);
  assert.equal(await till.take(wallet, 420n), "accepted");
  assert.equal(await till.take(wallet, 380n), "accepted");
  const balance = async () => (await at.operator.account(account)).balanceMinor;
  return { at, till, balance, exported: await till.terminal.exportRecords() };
}

test("an exported journal is settled from the file, once, and the terminal that was found again hears of it", async (t) => {
  const { at, till, balance, exported } = await brokenTill(t);
  const file = join(at.folder, "journal.cborseq");
  await writeFile(file, Buffer.concat(exported));
  const { answer } = await cairn(t, undefined, "import-journal", file, "--issuer", at.issuer.url, "--data", at.folder);
  assert.deepEqual(answer, { ok: true, received: 2, refused: 0 });
  await eventually(async () => (await balance()) === 4_200n);

  await cairn(t, undefined, "import-journal", file, "--issuer", at.issuer.url, "--data", at.folder);
  await till.sync();
  const ids = await till.terminal.paymentsToAsk(10);
  assert.equal(ids.length, 2);
  const { payments } = await till.client.outcomes(ids);
  assert.deepEqual(
    payments.map(({ state }) => state),
    ["settled", "settled"],
  );
  assert.equal(await balance(), 4_200n);
  assert.deepEqual((await at.operator.verifyBooks()).faults, []);
});

test("what no terminal of this issuer could have brought is not taken in", async (t) => {
  const { at, exported, balance } = await brokenTill(t);
  const [record] = exported;
  assert.ok(record);
  const other = await startTestIssuer(t);
  const refusedWith = (code: string) => (error: unknown) => error instanceof ClientError && error.code === code;
  await assert.rejects(other.operator.importJournal([record]), refusedWith("TERMINAL_UNKNOWN"));
  await assert.rejects(at.operator.importJournal([record.slice(0, -1)]), refusedWith("CALL_MALFORMED"));

  const forged = record.slice();
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  await at.operator.importJournal([forged]);
  const damaged = join(at.folder, "damaged.cborseq");
  await writeFile(damaged, record.slice(0, -1));
  await assert.rejects(
    cairn(t, undefined, "import-journal", damaged, "--issuer", at.issuer.url, "--data", at.folder),
    /CBOR_TOO_LONG/,
  );
  assert.equal(await balance(), 5_000n);
});
