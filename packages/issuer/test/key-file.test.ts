import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { nodeCrypto } from "@cairn/cose/node";
import { accountNumber, openCertificateId, sealCertificateId } from "@cairn/issue";
import { certificateIdCipher } from "../src/keys/certificate-id-cipher.ts";
import { activeKey, openIssuerKeys } from "../src/keys/issuer-keys.ts";
import { KeyFileError } from "../src/keys/key-file-error.ts";
import { openOperatorToken } from "../src/keys/operator-token.ts";
import { seal, unseal } from "../src/keys/sealed-box.ts";
import { systemRandom } from "../src/ports.ts";

const crypto = nodeCrypto();
const now = 1_800_000_000;
const code = (expected: string) => (error: unknown) => error instanceof KeyFileError && error.code === expected;

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cairn-keys-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function open(dataFolder: string, changes: { passphrase?: string; mayCreate?: boolean } = {}) {
  const { passphrase = "long enough", mayCreate = true } = changes;
  return openIssuerKeys({ dataFolder, passphrase, mayCreate, now, random: systemRandom, crypto });
}

test("keys survive a restart, and the file can be read by its owner alone", async (t) => {
  const folder = await folderFor(t);
  const made = await open(folder);
  const again = await open(folder, { mayCreate: false });
  assert.deepEqual(again.rootKey, made.rootKey);
  assert.deepEqual(
    again.all().map(({ keyId }) => keyId),
    made.all().map(({ keyId }) => keyId),
  );
  assert.deepEqual(again.nonceSecret, made.nonceSecret);
  const id = sealCertificateId({ account: accountNumber(7), serial: 3 }, made.certificateIdCipher);
  assert.deepEqual(openCertificateId(id, again.certificateIdCipher), { account: 7, serial: 3 });
  const files = await readdir(join(folder, "keys"));
  assert.deepEqual(files, ["issuer-keys.json"], "no temporary file stays");
  if (process.platform !== "win32")
    assert.equal((await stat(join(folder, "keys", "issuer-keys.json"))).mode & 0o777, 0o600);
});

test("the file tells nothing without the passphrase, and any change to it is found", async (t) => {
  const folder = await folderFor(t);
  await open(folder);
  const path = join(folder, "keys", "issuer-keys.json");
  const text = await readFile(path, "utf8");
  assert.doesNotMatch(text, /pkcs8|nonceSecret/);
  await assert.rejects(open(folder, { passphrase: "long enough?" }), code("KEY_FILE_PASSPHRASE_WRONG"));
  const document = JSON.parse(text);
  for (const changed of [
    { ...document, kdf: { ...document.kdf, n: 16_384 } },
    { ...document, kdf: { ...document.kdf, salt: "AAAA" } },
    { ...document, cipher: { ...document.cipher, tag: `A${document.cipher.tag.slice(1)}` } },
    { ...document, content: document.content.slice(0, -4) },
  ]) {
    await writeFile(path, JSON.stringify(changed));
    await assert.rejects(open(folder), code("KEY_FILE_PASSPHRASE_WRONG"));
  }
  for (const malformed of ["", "{}", "[1]", JSON.stringify({ ...document, kdf: { ...document.kdf, n: 2 ** 30 } })]) {
    await writeFile(path, malformed);
    await assert.rejects(open(folder), code("KEY_FILE_MALFORMED"));
  }
  await writeFile(path, JSON.stringify({ ...document, version: 2 }));
  await assert.rejects(open(folder), code("KEY_FILE_VERSION_UNKNOWN"));
  await writeFile(path, await seal('{"root":"x"}', "long enough", systemRandom));
  await assert.rejects(open(folder), code("KEY_FILE_MALFORMED"));
});

test("no new keys where accounts depend on old ones, and no short passphrase", async (t) => {
  const folder = await folderFor(t);
  await assert.rejects(open(folder, { mayCreate: false }), code("KEY_FILE_MISSING"));
  await assert.rejects(open(folder, { passphrase: "seven77" }), code("PASSPHRASE_TOO_SHORT"));
});

test("what was sealed comes back, and a passphrase is the same in every Unicode form", async () => {
  const sealed = await seal("a secret ✓", "pa\u00e9sswort", systemRandom);
  assert.equal(await unseal(sealed, "pae\u0301sswort"), "a secret ✓");
});

test("a new key is known at once, signs after the overlap, and the old one stays good for what it signed", async (t) => {
  const folder = await folderFor(t);
  const keys = await open(folder);
  const old = keys.active(now);
  await keys.rotate({ now, overlapSeconds: 100 });
  assert.equal(keys.all().length, 2);
  assert.equal(keys.active(now + 99).keyId, old.keyId);
  const young = keys.active(now + 100);
  assert.notEqual(young.keyId, old.keyId);
  assert.equal(young.validFrom, now);
  const kept = keys.byId(old.keyId);
  assert.ok(kept !== undefined && kept.validUntil >= now + 100 && kept.validUntil < now + 1_000);
  const again = await open(folder, { mayCreate: false });
  assert.deepEqual(
    again.all().map(({ keyId, validUntil }) => [keyId, validUntil]),
    keys.all().map(({ keyId, validUntil }) => [keyId, validUntil]),
  );
});

test("no key signs before its time or after it", async (t) => {
  const keys = await open(await folderFor(t));
  const [only] = keys.all();
  assert.ok(only);
  assert.throws(() => activeKey(keys.all(), only.signsFrom - 1), code("ISSUER_KEY_EXPIRED"));
  assert.throws(() => activeKey(keys.all(), only.validUntil), code("ISSUER_KEY_EXPIRED"));
});

test("the cipher is AES-128 on one block", () => {
  // FIPS 197, appendix C.1.
  const key = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");
  const clear = Buffer.from("00112233445566778899aabbccddeeff", "hex");
  const cipher = certificateIdCipher(key);
  for (let round = 0; round < 3; round++) {
    const block = cipher.encryptBlock(clear);
    assert.equal(Buffer.from(block).toString("hex"), "69c4e0d86a7b0430d8cdb78070b4c55a");
    assert.deepEqual(Buffer.from(cipher.decryptBlock(block)), clear);
  }
});

test("the operator token is made once and kept to its owner", async (t) => {
  const folder = await folderFor(t);
  const token = await openOperatorToken(folder, systemRandom);
  assert.match(token, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(await openOperatorToken(folder, systemRandom), token);
  if (process.platform !== "win32") assert.equal((await stat(join(folder, "operator-token"))).mode & 0o777, 0o600);
});
