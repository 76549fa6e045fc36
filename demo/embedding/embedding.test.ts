import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { generateNodeSigner } from "@cairn/cose/node";
import { OperatorClient, startIssuer } from "@cairn/issuer";
import { currency, type PayeeId } from "@cairn/messages";
import { EmbeddedTerminal } from "./terminal.ts";
import { EmbeddedWallet } from "./wallet.ts";

/** docs/guides/embedding.md shows these files as they are. CAIRN_WRITE_GUIDE=1 writes what should stand there. */
const GUIDE = new URL("../../docs/guides/embedding.md", import.meta.url);
const SHOWN = ["wallet.ts", "terminal.ts"];

test("the examples of the guide pay without a network, and the issuer settles", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cairn-embedding-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const issuer = await startIssuer({
    dataFolder: join(folder, "issuer"),
    passphrase: "an issuer of a test",
    port: 0,
    issuerId: "test-bank",
    issuerName: "Test Bank",
    logTo: { write: () => undefined },
    settleIntervalMs: 20,
  });
  t.after(() => issuer.close());
  const operator = new OperatorClient({ url: issuer.url, token: issuer.operatorToken });
  const EUR = currency("EUR");
  const { account } = await operator.createAccount({ name: "Ada", currency: EUR });
  await operator.topUp(account, { amountMinor: 5_000n, idempotencyKey: "first" });
  const payeeId = "KIOSK" as PayeeId;
  await operator.createPayee({ payeeId, name: "Kiosk", currency: EUR });

  const wallet = new EmbeddedWallet(join(folder, "wallet.sqlite"), generateNodeSigner(), issuer.url);
  t.after(() => wallet.close());
  const terminal = new EmbeddedTerminal(folder, generateNodeSigner(), issuer.url);
  t.after(() => terminal.close());
  await wallet.enrol((await operator.createDeviceCode(account)).code);
  await wallet.sync();
  await terminal.enrol((await operator.createTerminalCode(payeeId)).code);

  const requestCode = await terminal.ask(450n);
  assert.equal(await wallet.answer(requestCode, async () => false), "Not paid.");
  const paymentCode = await wallet.answer(requestCode, async ({ payeeName, amount }) => {
    assert.deepEqual([payeeName, amount], ["Kiosk", { minor: 450n, currency: EUR }]);
    return true;
  });
  const taken = await terminal.take(paymentCode);
  assert.equal(taken.isSafe, true, taken.show);
  await wallet.keepReceipt(taken.show);
  assert.equal((await terminal.take(paymentCode)).isSafe, false);

  assert.equal(await terminal.upload(), 1);
  for (let tries = 0; (await terminal.outcomes())[0] !== "settled"; tries++) {
    assert.ok(tries < 3_000, "It was never settled.");
    await setTimeout(20);
  }
  await wallet.sync();
});

test("the guide shows the examples as they are", async () => {
  const guide = await readFile(GUIDE, "utf8");
  let shown = guide;
  for (const name of SHOWN) {
    const source = await readFile(new URL(name, import.meta.url), "utf8");
    const block = new RegExp(`(<!-- ${name} -->\n\`\`\`ts\n)[\\s\\S]*?(\`\`\`\n)`);
    assert.match(shown, block);
    shown = shown.replace(block, (_, before: string, after: string) => `${before}${source}${after}`);
  }
  if (process.env.CAIRN_WRITE_GUIDE === "1") await writeFile(GUIDE, shown);
  else assert.equal(guide, shown);
});
