import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import type { Gathered } from "./browser/node-test.ts";
import { openBrowser } from "./chromium.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/**
 * Runs test files that were written for `node:test` inside a page of real Chromium: bundled, served from this machine,
 * in a fresh profile. Answers what became of each test.
 */
export async function runInPage(entry: string): Promise<readonly Gathered[]> {
  const script = await bundle(entry);
  const server = createServer((request, response) => {
    const isScript = request.url === "/tests.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : '<!doctype html><script type="module" src="/tests.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const profile = await mkdtemp(join(tmpdir(), "cairn-page-"));
  const browser = await openBrowser({ profile });
  try {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("The server has no port.");
    const page = browser.pages()[0] ?? (await browser.newPage());
    await page.goto(`http://127.0.0.1:${address.port}/`);
    await page.waitForFunction(() => "cairnResults" in globalThis);
    return await page.evaluate<readonly Gathered[]>("globalThis.cairnResults");
  } finally {
    await browser.close();
    server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function bundle(entry: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: "warn",
    resolve: {
      alias: {
        "node:test": here("browser/node-test.ts"),
        "node:assert/strict": here("browser/assert.ts"),
      },
    },
    build: { write: false, minify: false, target: "es2024", rollupOptions: { input: entry }, modulePreload: false },
  });
  const [output] = [built].flat();
  if (output === undefined || !("output" in output)) throw new Error("Nothing was bundled.");
  return output.output[0].code;
}
