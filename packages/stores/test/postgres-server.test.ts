import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access } from "node:fs/promises";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { hasPostgresServer, startPostgresServer } from "../../../scripts/postgres-server.ts";

const skip = hasPostgresServer() ? false : "no PostgreSQL server for this platform";

async function ask(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString });
  await client.connect();
  const { rows } = await client.query({ text: sql, rowMode: "array" });
  await client.end();
  return rows.flat();
}

test("a server of the test's own: what was committed is there after kill -9, nothing is left after stop", {
  skip,
}, async () => {
  const server = await startPostgresServer();
  await ask(server.connectionString, "CREATE TABLE kept AS SELECT 7 AS number");
  await server.kill();
  await assert.rejects(ask(server.connectionString, "SELECT 1"), /ECONNREFUSED/);
  await server.restart();
  assert.deepEqual(await ask(server.connectionString, "SELECT number FROM kept"), [7]);
  await server.stop();
  await assert.rejects(access(server.dataFolder));
});

test("it ends with whoever started it, also by kill -9", { skip }, async () => {
  const source = `
    import { startPostgresServer } from ${JSON.stringify(fileURLToPath(new URL("../../../scripts/postgres-server.ts", import.meta.url)))};
    const { connectionString, dataFolder } = await startPostgresServer();
    console.log(JSON.stringify({ connectionString, dataFolder }));
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", source], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
  const [line]: Buffer[] = await once(child.stdout, "data");
  const { connectionString, dataFolder } = JSON.parse(String(line));
  assert.deepEqual(await ask(connectionString, "SELECT 1"), [1]);
  child.kill("SIGKILL");
  for (let wait = 0; wait < 200; wait++) {
    const isGone = await access(dataFolder).then(
      () => false,
      () => true,
    );
    if (isGone) break;
    await pause(50);
  }
  await assert.rejects(access(dataFolder));
  await assert.rejects(ask(connectionString, "SELECT 1"), /ECONNREFUSED/);
});
