import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { after, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("./file-opener.child.ts", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "cairn-shared-file-"));
after(() => rmSync(root, { recursive: true, force: true }));

type Opener = { readonly open: (path: string) => void; readonly says: () => Promise<string> };

/** A process that is ready to open files of its store. */
async function startOpener(store: string, context: TestContext): Promise<Opener> {
  const child = spawn(process.execPath, [CHILD, store], { stdio: ["pipe", "pipe", "inherit"] });
  context.after(() => child.stdin.end());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const says = async (): Promise<string> => (await lines.next()).value ?? "ended";
  assert.equal(await says(), "ready");
  return { open: (path) => child.stdin.write(`${path}\n`), says };
}

for (const store of ["terminal", "wallet"]) {
  test(`${store}: processes that make the same file at the same moment all open it`, async (context) => {
    const openers = await Promise.all(Array.from({ length: 4 }, () => startOpener(store, context)));
    for (let file = 0; file < 50; file++) {
      for (const { open } of openers) open(join(root, `${store}-${file}.sqlite`));
      for (const { says } of openers) assert.deepEqual([await says(), await says()], ["opening", "opened"]);
    }
  });

  test(`${store}: a file that another process is just making is waited for`, async (context) => {
    const { open, says } = await startOpener(store, context);
    const path = join(root, `${store}-busy.sqlite`);
    const maker = new DatabaseSync(path);
    maker.exec("BEGIN IMMEDIATE");
    open(path);
    assert.equal(await says(), "opening");
    // Time to meet the lock. Were it too short, the test would only show less.
    await sleep(200);
    maker.exec("COMMIT");
    assert.equal(await says(), "opened");
    maker.close();
  });
}
