import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openSqliteTerminalJournal, SqliteTerminalJournal } from "@cairn/stores";
import type { Orders } from "./terminal.child.ts";
import { chargeFor, makeIssuer, makePayer, makeTerminal, NOW } from "./world.ts";

const root = mkdtempSync(join(tmpdir(), "cairn-terminal-"));
after(() => rmSync(root, { recursive: true, force: true }));
const CHILD = fileURLToPath(new URL("./terminal.child.ts", import.meta.url));

/** Starts a terminal process; `lines` grows with its outcomes, `ended` is its exit code or the signal that ended it. */
function start(orders: Orders, onLine: (count: number, kill: () => void) => void = () => {}) {
  const file = join(mkdtempSync(join(root, "orders-")), "orders.json");
  writeFileSync(file, JSON.stringify(orders));
  const child = spawn(process.execPath, [CHILD, file], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  let rest = "";
  child.stdout.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) {
      lines.push(line);
      onLine(lines.length, () => child.kill("SIGKILL"));
    }
  });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.on("close", (code, signal) => resolve(code ?? signal)),
  );
  return { lines, ended };
}

/** A terminal in a folder, `count` requests, and for each a payment by each of `payers` different payers. */
async function prepare(count: number, payers: number) {
  const folder = mkdtempSync(join(root, "terminal-"));
  const journal = openSqliteTerminalJournal(folder);
  const issuer = makeIssuer();
  const { terminal, signer } = await makeTerminal(issuer, { journal });
  const all = await Promise.all(Array.from({ length: payers }, () => makePayer(issuer)));
  const codes: string[][] = [];
  for (let number = 0; number < count; number++) {
    const { codeText } = await chargeFor(terminal, 100n);
    const paid: string[] = [];
    for (const payer of all) paid.push((await payer.pay(codeText)).codeText);
    codes.push(paid);
  }
  await journal.close();
  const keyPkcs8 = Buffer.from(signer.privateKeyPkcs8).toString("hex");
  return { folder, codes, orders: { folder, keyPkcs8, now: NOW } };
}

test("two terminal processes on one journal accept each request and each payment once", async () => {
  const { folder, codes, orders } = await prepare(30, 2);
  // Both show every payment; one process starts from the other end.
  const all = codes.flat();
  const processes = [start({ ...orders, codes: all }), start({ ...orders, codes: [...all].reverse() })];
  for (const { ended } of processes) assert.equal(await ended, 0);
  const outcomes = processes.flatMap(({ lines }) => lines.map((line) => line.split(" ")[1]));
  const accepted = outcomes.filter((outcome) => outcome === "accepted").length;

  const journal = new SqliteTerminalJournal(join(folder, "terminal.sqlite"));
  const held = await journal.acceptances({ limit: 1_000 });
  const requests = await journal.requests({ limit: 1_000 });
  await journal.close();
  assert.equal(held.length, accepted, "said accepted exactly as often as the journal holds");
  assert.equal(new Set(held.map(({ requestId }) => requestId)).size, held.length, "no request is paid twice");
  for (const { requestId, paymentId } of held) {
    assert.equal(requests.find((request) => request.requestId === requestId)?.paidBy, paymentId);
  }
  const allowed = ["accepted", "PAYMENT_REPLAYED", "REQUEST_ALREADY_PAID", "SEQUENCE_CONFLICT"];
  for (const outcome of outcomes) assert.ok(allowed.includes(outcome ?? ""), outcome ?? "no outcome");
  assert.ok(accepted > 0);
});

test("a terminal killed at any moment has what it accepted, and accepts nothing twice", async () => {
  const { folder, codes, orders } = await prepare(40, 1);
  const all = codes.flat();
  const told = new Set<string>();
  let killed = 0;
  const remember = (lines: readonly string[]): void => {
    for (const line of lines) {
      const [index = "", outcome] = line.split(" ");
      if (outcome === "accepted") {
        assert.ok(!told.has(index), "accepted twice");
        told.add(index);
      } else {
        assert.equal(outcome, "PAYMENT_REPLAYED");
      }
    }
  };
  for (const killAfter of [1, 9, 17, 25]) {
    const { lines, ended } = start({ ...orders, codes: all }, (count, kill) => {
      if (count === killAfter) kill();
    });
    if ((await ended) === "SIGKILL") killed++;
    remember(lines);
    const journal = openSqliteTerminalJournal(folder);
    const held = await journal.acceptances({ limit: 1_000 });
    await journal.close();
    assert.ok(held.length >= told.size, "all that was said is held");
  }
  assert.ok(killed > 0, "no process was killed in time");
  const last = start({ ...orders, codes: all });
  assert.equal(await last.ended, 0);
  remember(last.lines);
  const journal = openSqliteTerminalJournal(folder);
  assert.equal((await journal.acceptances({ limit: 1_000 })).length, all.length);
  assert.equal((await journal.stored()).totalMinor, 4_000n);
  await journal.close();
});

test("processes that make the same journal at the same moment all open it", async () => {
  const folder = mkdtempSync(join(root, "fresh-"));
  const { orders } = await prepare(1, 1);
  const processes = Array.from({ length: 4 }, () => start({ ...orders, folder, codes: [] }));
  for (const { ended } of processes) assert.equal(await ended, 0);
});
