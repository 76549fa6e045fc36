import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import type { CborCode, CoseCode } from "@cairn/cose";
import { MALFORMED_SENTENCES, REFUSAL_SENTENCES } from "@cairn/messages";
import { type Case, STEPS } from "./case.ts";
import { outdated } from "./generate.ts";
import { runCase } from "./run-case.ts";

/** Codes of packages/cose exist as types alone: the compiler sees to it that none is left out here. */
const ENCODING_CODES: Readonly<Record<CborCode | CoseCode, true>> = {
  CBOR_TRUNCATED: true,
  CBOR_TRAILING_BYTES: true,
  CBOR_NON_MINIMAL: true,
  CBOR_UNSORTED_KEYS: true,
  CBOR_DUPLICATE_KEY: true,
  CBOR_INVALID_UTF8: true,
  CBOR_UNSUPPORTED: true,
  CBOR_INTEGER_RANGE: true,
  CBOR_TOO_DEEP: true,
  CBOR_TOO_LONG: true,
  COSE_MALFORMED: true,
  COSE_ALGORITHM: true,
  COSE_HEADER: true,
  COSE_KEY_INVALID: true,
};

/** What a stream is refused with beyond that: problems of the call (packages/issuer/src/http/problems.ts). */
const STREAM_CODES = ["NONCE_INVALID", "BODY_TOO_LARGE"];

async function casesIn(folder: "valid" | "invalid"): Promise<{ file: string; cases: Case[] }[]> {
  const names = (await readdir(new URL(`${folder}/`, import.meta.url))).filter((name) => name.endsWith(".json"));
  return Promise.all(
    names.toSorted().map(async (name) => ({
      file: `${folder}/${name}`,
      cases: JSON.parse(await readFile(new URL(`${folder}/${name}`, import.meta.url), "utf8")),
    })),
  );
}

const valid = await casesIn("valid");
const invalid = await casesIn("invalid");
const all = [...valid, ...invalid].flatMap(({ cases }) => cases);

for (const { file, cases } of [...valid, ...invalid]) {
  test(`${file}: ${cases.length} cases give exactly the expected result`, async () => {
    for (const each of cases) assert.deepEqual(await runCase(each), each.expect, `${each.name}: ${each.description}`);
  });
}

test("valid cases expect fields, invalid ones a code, and no two cases share a name", () => {
  for (const { cases } of valid) for (const { name, expect } of cases) assert.ok("fields" in expect, name);
  for (const { cases } of invalid) for (const { name, expect } of cases) assert.ok("code" in expect, name);
  assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
});

test("every code and every step is covered, by at least 150 cases", () => {
  const wanted = [
    ...Object.keys(ENCODING_CODES),
    ...Object.keys(MALFORMED_SENTENCES),
    ...Object.keys(REFUSAL_SENTENCES),
    ...STREAM_CODES,
  ];
  const found = new Set(all.flatMap(({ expect }) => ("code" in expect ? [expect.code] : [])));
  assert.deepEqual(
    wanted.filter((code) => !found.has(code)),
    [],
  );
  assert.deepEqual(
    [...found].filter((code) => !wanted.includes(code)),
    [],
  );
  assert.deepEqual(new Set(all.map(({ step }) => step)), new Set(STEPS));
  assert.ok(all.length >= 150, `${all.length} cases`);
});

test("the committed files are what generate.ts makes", async () => {
  assert.deepEqual(await outdated(), [], "run node vectors/generate.ts --write");
});
