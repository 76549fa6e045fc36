import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { generateNodeSigner } from "@cairn/cose/node";
import { areCompatible, type MessageId } from "@cairn/messages";
import { SqliteWalletStore, WALLET_FILE } from "@cairn/stores";
import type { StoredWallet } from "../src/index.ts";
import { mustPay, paymentIn } from "./steps.ts";
import { assertHonest, snapshot } from "./watched.ts";
import { aTill, holding, portsOn } from "./world.ts";

/** Real processes on one real file: what an interleaving in memory cannot show. */
const CHILD = fileURLToPath(new URL("payer.child.ts", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "cairn-wallet-"));
after(() => rm(folder, { recursive: true, force: true }));

let files = 0;
const freshFile = () => join(folder, `${++files}-${WALLET_FILE}`);
const till = await aTill();

type Payer = { readonly child: ChildProcess; readonly lines: AsyncIterator<string>; send(line: string): void };

/** Starts a wallet process; it has the file open when this resolves. */
async function startPayer(file: string, key: string): Promise<Payer> {
  const child = spawn(process.execPath, [CHILD, file, key], { stdio: ["pipe", "pipe", "inherit"] });
  const { stdin, stdout } = child;
  assert.ok(stdin !== null && stdout !== null);
  // Writing to a process that was killed is what this test does.
  stdin.on("error", () => {});
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  assert.equal((await lines.next()).value, "ready");
  return { child, lines, send: (line) => stdin.write(`${line}\n`) };
}

async function stop(child: ChildProcess, signal?: "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  if (signal === undefined) child.stdin?.end();
  else child.kill(signal);
  await exited;
}

/** A wallet file with a certificate of 100.00, and the key as text. */
async function aWalletFile(): Promise<{ readonly file: string; readonly key: string }> {
  const file = freshFile();
  const signer = generateNodeSigner();
  const { ports } = await holding([{}], portsOn(new SqliteWalletStore(file), signer));
  await ports.store.close();
  return { file, key: Buffer.from(signer.privateKeyPkcs8).toString("base64") };
}

async function reopened(file: string): Promise<StoredWallet> {
  const store = new SqliteWalletStore(file);
  try {
    return await snapshot(store);
  } finally {
    await store.close();
  }
}

test("a wallet file opened again holds everything; the same payment is shown", async () => {
  const file = freshFile();
  const first = await holding([{}], portsOn(new SqliteWalletStore(file)));
  const code = await till.charge();
  const paid = await mustPay(first.ports, code);
  const before = await snapshot(first.ports.store);
  await first.ports.store.close();
  const second = portsOn(new SqliteWalletStore(file), first.ports.signer);
  assert.deepEqual(await snapshot(second.ports.store), before);
  assert.equal((await mustPay(second.ports, code)).codeText, paid.codeText);
  await second.ports.store.close();
});

test("two processes paying at once from one file make one chain, and no request is paid twice", async () => {
  const { file, key } = await aWalletFile();
  const payers = await Promise.all([startPayer(file, key), startPayer(file, key)]);
  const shown: string[] = [];
  const rounds = 15;
  for (let round = 0; round < rounds; round++) {
    // Both get the same request and, at the same moment, an open payment of their own.
    const code = await till.charge({ amountMinor: 7n });
    for (const { send } of payers) {
      send(code);
      send("open 5");
    }
    for (const { lines } of payers)
      for (let count = 0; count < 2; count++) shown.push(String((await lines.next()).value));
  }
  await Promise.all(payers.map(({ child }) => stop(child)));
  const ids = shown.map((text) => paymentIn(text).messageId);
  const wallet = await reopened(file);
  assertHonest(wallet, new Set(ids));
  assert.equal(wallet.payments.length, rounds * 3, "one for each request, one for each open payment");
  assert.equal(new Set(ids).size, rounds * 3);
  const payments = shown.map((text) => paymentIn(text));
  for (const left of payments)
    for (const right of payments)
      if (left.messageId !== right.messageId) assert.ok(areCompatible(left.unverified, right.unverified));
});

test("two processes opening a new file at once both get a sound store", async () => {
  for (let round = 0; round < 3; round++) {
    const file = freshFile();
    const key = Buffer.from(generateNodeSigner().privateKeyPkcs8).toString("base64");
    const payers = await Promise.all([startPayer(file, key), startPayer(file, key)]);
    await Promise.all(payers.map(({ child }) => stop(child)));
    assert.deepEqual(await reopened(file), { identity: undefined, certificates: [], payments: [] });
  }
});

test("kill -9 at any moment: what was shown is in the file, and the chain goes on without a hole", async () => {
  const { file, key } = await aWalletFile();
  const shown = new Set<MessageId>();
  const codes: string[] = [];
  for (let round = 0; round < 10; round++) {
    const { child, lines, send } = await startPayer(file, key);
    // The killed process's last request comes again, as a user who tries once more sends it.
    const again = codes.at(-1);
    if (again !== undefined) codes.push(again);
    for (let count = 0; count < 40; count++) codes.push(await till.charge({ amountMinor: 3n }));
    const batch = codes.splice(0);
    for (const [index, code] of batch.entries()) {
      send(code);
      if (index % 4 === 3) send("open 2");
    }
    const answers = 1 + round * 3;
    for (let count = 0; count < answers; count++) {
      const { value, done } = await lines.next();
      if (done) break;
      shown.add(paymentIn(String(value)).messageId);
    }
    codes.push(...batch.slice(answers, answers + 1));
    await stop(child, "SIGKILL");
    const wallet = await reopened(file);
    assertHonest(wallet, shown);
    for (const id of shown) assert.ok(wallet.payments.some(({ paymentId, shown: its }) => paymentId === id && its));
  }
  const { payments } = await reopened(file);
  assert.ok(payments.length >= shown.size && shown.size > 50);
});
