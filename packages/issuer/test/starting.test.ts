import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestIssuer } from "./support/issuer.ts";

test("options that cannot be are refused before anything is made", async (t) => {
  for (const [changes, code] of [
    [{ issuerId: "Test Bank" }, "ISSUER_ID_INVALID"],
    [{ issuerName: "" }, "ISSUER_NAME_INVALID"],
    [{ issuerName: "ä".repeat(21) }, "ISSUER_NAME_INVALID"],
    [{ publicUrl: "issuer.example" }, "PUBLIC_URL_INVALID"],
    [{ publicUrl: "ftp://issuer.example" }, "PUBLIC_URL_INVALID"],
    [{ publicUrl: `https://issuer.example/${"x".repeat(180)}` }, "PUBLIC_URL_INVALID"],
    [{ passphrase: "short" }, "PASSPHRASE_TOO_SHORT"],
  ] as const)
    await assert.rejects(startTestIssuer(t, changes), { code });
});

test("a port in use is said so, and the server is ready when start comes back", async (t) => {
  const { issuer } = await startTestIssuer(t);
  assert.deepEqual(await (await fetch(`${issuer.url}/ready`)).json(), { status: "ready" });
  const port = Number(new URL(issuer.url).port);
  await assert.rejects(startTestIssuer(t, { port }), { code: "EADDRINUSE" });
});
