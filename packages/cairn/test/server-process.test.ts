import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { platform, tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const skip = platform() === "linux" ? false : "what a process was started with is read from /proc";

/** The server once it has said its first word. */
async function startServer(t: TestContext, environment: NodeJS.ProcessEnv, form = "--json"): Promise<ChildProcess> {
  const data = await mkdtemp(join(tmpdir(), "cairn-memory-"));
  const server = spawn(process.execPath, [MAIN, "issuer", "start", "--data", data, "--port", "0", form], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_NO_WARNINGS: "1", CAIRN_PASSPHRASE: "a server of one test", ...environment },
  });
  t.after(async () => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill("SIGKILL");
      await once(server, "exit");
    }
    await rm(data, { recursive: true, force: true });
  });
  assert.ok(server.stdout);
  await once(server.stdout, "data");
  return server;
}

const startedWith = async ({ pid }: ChildProcess, what: "cmdline" | "environ"): Promise<string[]> =>
  (await readFile(`/proc/${pid}/${what}`, "utf8")).split("\0");

test("a server bounds its memory in the very process that was started, which still stops when told", {
  skip,
}, async (t) => {
  const server = await startServer(t, {});
  const [, option, program] = await startedWith(server, "cmdline");
  assert.deepEqual([option, program], ["--max-semi-space-size=16", MAIN]);
  const environment = await startedWith(server, "environ");
  assert.ok(environment.includes("MALLOC_MMAP_THRESHOLD_=65536"));
  const exited = once(server, "exit");
  server.kill("SIGTERM");
  assert.deepEqual(await exited, [0, null]);
});

test("a server told to stop at its first word, still making its demo accounts, finishes and stops in order", {
  skip: platform() === "win32" ? "a process cannot be told to stop there, only ended" : false,
}, async (t) => {
  const server = await startServer(t, {}, "--demo");
  server.stdout?.resume();
  const exited = once(server, "exit");
  server.kill("SIGTERM");
  assert.deepEqual(await exited, [0, null]);
});

test("whoever sets the new space of a server has the say", { skip }, async (t) => {
  const server = await startServer(t, { NODE_OPTIONS: "--max-semi-space-size=24" });
  assert.equal((await startedWith(server, "cmdline"))[1], MAIN);
});
