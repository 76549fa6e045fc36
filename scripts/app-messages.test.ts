import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { LANGUAGES, messagesOf } from "../apps/kit/build/app-messages.ts";
import { OF_THE_RECEIVING_KEY, RECEIVING_REFUSALS } from "../apps/wallet/src/session/receiving-refusals.ts";
import { REFUSALS_IN_ORDER } from "../packages/issue/src/index.ts";
import { ENROLMENT_PROBLEMS } from "../packages/issuer/src/http/device-routes.ts";
import { RECEIVING_PROBLEMS } from "../packages/issuer/src/http/reverse-money-routes.ts";
import { CALL_PROBLEMS } from "../packages/issuer/src/http/signed-call-schema.ts";
import { MALFORMED_SENTENCES, REFUSAL_SENTENCES } from "../packages/messages/src/index.ts";
import { PAY_SENTENCES } from "../packages/pay/src/index.ts";
import { SETTLEMENT_SENTENCES } from "../packages/settle/src/index.ts";

const folderOf = (app: string): string => fileURLToPath(new URL(`../apps/${app}`, import.meta.url));
const placeholders = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
/** One sentence for all of them: in English it comes with the refusal. */
const isOfEncoding = (key: string): boolean => /^refusal\.(?:CBOR|COSE)_/.test(key);

for (const app of ["wallet", "terminal"]) {
  test(`the ${app} says the same in every language, with the same placeholders`, async () => {
    const english = await messagesOf(folderOf(app), "en");
    for (const language of LANGUAGES) {
      const translated = await messagesOf(folderOf(app), language);
      const keys = Object.keys(translated).filter((key) => !isOfEncoding(key));
      assert.deepEqual(keys.sort(), Object.keys(english).sort(), language);
      for (const key of keys) {
        const text = translated[key] ?? "";
        assert.ok(text.trim() !== "", `${language} ${key}`);
        assert.deepEqual(placeholders(text), placeholders(english[key] ?? ""), `${language} ${key}`);
      }
    }
  });

  test(`the ${app} has words for every refusal that packages and issuer give`, async () => {
    const tables = [MALFORMED_SENTENCES, REFUSAL_SENTENCES, PAY_SENTENCES, REFUSALS_IN_ORDER, SETTLEMENT_SENTENCES];
    const messages = await messagesOf(folderOf(app), "fr");
    for (const code of tables.flatMap((table) => Object.keys(table))) assert.ok(`refusal.${code}` in messages, code);
  });
}

test("the wallet knows every word that it may not receive with, and has a sentence for every other answer on the way", async () => {
  for (const code of RECEIVING_PROBLEMS) assert.ok(RECEIVING_REFUSALS.includes(code), code);
  assert.ok(RECEIVING_REFUSALS.includes("CALLER_FROZEN"), "of an operator who blocked the key to receive with");
  for (const language of LANGUAGES) {
    const messages = await messagesOf(folderOf("wallet"), language);
    for (const code of OF_THE_RECEIVING_KEY) assert.ok(`receiving.${code}` in messages, code);
    // What else can be wrong with a call is a fault of the app itself.
    const ofAnyCall = ["NONCE_INVALID", "CALLER_UNKNOWN", "CALLER_FROZEN"];
    const ofEnrolling = ENROLMENT_PROBLEMS.filter((code) => !CALL_PROBLEMS.some((one) => one === code));
    for (const code of [...ofAnyCall, ...ofEnrolling, ...RECEIVING_PROBLEMS])
      assert.ok(`refusal.${code}` in messages, `${language} ${code}`);
  }
});

test("what is in the languages' folders is built in", () => {
  for (const folder of ["wallet/src/messages", "terminal/src/messages"])
    assert.deepEqual(readdirSync(folderOf(folder)).sort(), LANGUAGES.map((language) => `${language}.json`).sort());
});
