import assert from "node:assert/strict";
import { glob, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { APPS, buildApps } from "../../../scripts/build-apps.ts";

/** Decision 0089. With pinned tools the same sources give the same bytes on every machine. */
const MAXIMUM_BYTES = 60_000;

for (const app of APPS) {
  test(`the ${app} sends at most ${MAXIMUM_BYTES} bytes of JavaScript, worker and service worker counted`, async () => {
    await buildApps();
    const folder = fileURLToPath(new URL(`../../${app}/dist`, import.meta.url));
    const sizes = new Map<string, number>();
    for await (const file of glob("**/*.js.br", { cwd: folder }))
      sizes.set(file, (await stat(join(folder, file))).size);
    assert.ok(sizes.size >= 3, "index, reader and service worker");
    const bytes = [...sizes.values()].reduce((sum, each) => sum + each, 0);
    assert.ok(bytes <= MAXIMUM_BYTES, `${bytes} bytes: ${JSON.stringify(Object.fromEntries(sizes))}`);
  });

  test(`the ${app} keeps all its files offline`, async () => {
    await buildApps();
    const folder = fileURLToPath(new URL(`../../${app}/dist`, import.meta.url));
    const worker = await readFile(join(folder, "sw.js"), "utf8");
    for await (const file of glob("assets/*.{js,css,json,wasm}", { cwd: folder }))
      assert.ok(worker.includes(file), file);
  });
}
