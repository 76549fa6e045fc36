import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { brotliCompressSync, brotliDecompressSync } from "node:zlib";
import { startTestIssuer } from "./support/issuer.ts";

async function builtApps(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cairn-apps-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const dist = join(folder, "wallet", "dist");
  await mkdir(join(dist, "assets"), { recursive: true });
  await writeFile(join(dist, "index.html"), "<!doctype html><title>Wallet</title>");
  await writeFile(join(dist, "sw.js"), "self;");
  await writeFile(join(dist, "assets", "index-1.js"), "export {};");
  await writeFile(join(dist, "assets", "index-1.js.br"), brotliCompressSync("export {};"));
  await writeFile(join(dist, "notes.secret"), "not to be served");
  await writeFile(join(folder, "outside.js"), "not to be served");
  return folder;
}

type Answer = { readonly status: number; readonly headers: NodeJS.Dict<string | string[]>; readonly body: Buffer };

/** As a browser asks, without what `fetch` makes of paths and encodings. */
function ask(url: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    asked.on("error", reject);
    asked.end();
  });
}

test("a built app is served with a strict policy, and is asked for again only where it may have changed", async (t) => {
  const { issuer } = await startTestIssuer(t, { appsFolder: await builtApps(t) });
  assert.deepEqual(issuer.apps, ["wallet"]);
  const page = await ask(issuer.url, "/wallet/");
  assert.equal(page.status, 200);
  assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
  assert.equal(page.headers["cache-control"], "no-cache");
  const policy = String(page.headers["content-security-policy"]);
  assert.match(policy, /default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';/);
  assert.match(policy, /connect-src 'self'/);
  assert.doesNotMatch(policy, /unsafe-inline|'unsafe-eval'|https?:|\*/);
  assert.equal(page.headers["x-content-type-options"], "nosniff");
  const etag = String(page.headers.etag);
  const again = await ask(issuer.url, "/wallet/", { "if-none-match": etag });
  assert.deepEqual([again.status, again.body.length], [304, 0]);
  assert.equal((await ask(issuer.url, "/wallet/sw.js")).headers["cache-control"], "no-cache");
  const script = await ask(issuer.url, "/wallet/assets/index-1.js");
  assert.equal(script.headers["cache-control"], "public, max-age=31536000, immutable");
  assert.equal(script.body.toString(), "export {};");
});

test("a compressed copy goes to whoever takes it", async (t) => {
  const { issuer } = await startTestIssuer(t, { appsFolder: await builtApps(t) });
  const packed = await ask(issuer.url, "/wallet/assets/index-1.js", { "accept-encoding": "gzip, br" });
  assert.equal(packed.headers["content-encoding"], "br");
  assert.equal(packed.headers.vary, "accept-encoding");
  assert.equal(brotliDecompressSync(packed.body).toString(), "export {};");
  const plain = await ask(issuer.url, "/wallet/", { "accept-encoding": "br" });
  assert.equal(plain.headers["content-encoding"], undefined, "nothing is said to be compressed that is not");
});

test("nothing but an app's own files is served, and an app that was not built is not there", async (t) => {
  const { issuer } = await startTestIssuer(t, { appsFolder: await builtApps(t) });
  const moved = await ask(issuer.url, "/wallet");
  assert.deepEqual([moved.status, moved.headers.location], [308, "wallet/"]);
  for (const path of [
    "/wallet/notes.secret",
    "/wallet/../outside.js",
    "/wallet/..%2f..%2foutside.js",
    "/wallet/%2e%2e/%2e%2e/outside.js",
    "/wallet/assets/",
    "/wallet/assets/index-1.js.br",
    "/wallet//etc/hosts",
    "/terminal/",
  ]) {
    const answer = await ask(issuer.url, path);
    assert.equal(answer.status, 404, path);
    assert.equal(JSON.parse(answer.body.toString()).code, "ROUTE_UNKNOWN", path);
  }
});
