import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** Agreement is worth something only when disagreement is noticed: each mistake, planted in a copy, must be found. */
const PYTHON = "/usr/bin/python3";
const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const MISTAKES: readonly (readonly [what: string, right: string, wrong: string])[] = [
  ["believes every signature", 'raise Refused("SIGNATURE_INVALID")', "return"],
  ["forgets the signed context", 'b"cairn/1/" + kind.encode()', 'b""'],
  ["lets long integers pass", 'raise Refused("CBOR_NON_MINIMAL")', "pass"],
  ["lets a repeated or unsorted key pass", 'raise Refused("CBOR_DUPLICATE_KEY" if', '("" if'],
  ["forgets the limit", 'check(spent <= int(user["terms"]["limitMinor"]), "LIMIT_EXCEEDED")', "pass"],
  [
    "compares sequence numbers alone",
    ' and int(earlier["spentMinor"]) + int(later["amountMinor"]) <= int(later["spentMinor"])',
    "",
  ],
  ["accepts a replay", 'check(all(payment.id != earlier.id for earlier in self.accepted), "PAYMENT_REPLAYED")', "pass"],
  ["takes the portions of a stream in any order", 'check(envelope["nonce"] == nonce and', "check("],
  [
    "forgets the status list",
    'check(not is_revoked(self.status, user["terms"]["statusIndex"]), "CERTIFICATE_REVOKED")',
    "pass",
  ],
];

const missing =
  spawnSync(PYTHON, ["-c", "import cbor2, cryptography"]).status === 0
    ? false
    : "Debian's python3-cbor2 and python3-cryptography are not installed";
const skip = process.env.CI === "true" ? false : missing;

for (const [what, right, wrong] of MISTAKES) {
  test(`the vectors find a reader that ${what}`, { skip }, async () => {
    assert.equal(missing, false);
    const folder = await mkdtemp(join(tmpdir(), "cairn-vectors-"));
    try {
      for (const part of ["valid", "invalid"]) await cp(join(FOLDER, part), join(folder, part), { recursive: true });
      const source = await readFile(join(FOLDER, "verify.py"), "utf8");
      assert.ok(source.includes(right), `verify.py no longer says: ${right}`);
      await writeFile(join(folder, "verify.py"), source.replaceAll(right, wrong));
      const { status, stdout, stderr } = spawnSync(PYTHON, [join(folder, "verify.py")], {
        encoding: "utf8",
        maxBuffer: 2 ** 26,
      });
      assert.match(stdout.trimEnd().split("\n").at(-1) ?? "", /^\d+ passed, [1-9]\d* failed$/, stderr);
      assert.notEqual(status, 0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}
