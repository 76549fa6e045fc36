import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { LANGUAGES, messagesOf } from "../apps/kit/build/app-messages.ts";
import { REFUSALS_IN_ORDER } from "../packages/issue/src/index.ts";
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

test("what is in the languages' folders is built in", () => {
  for (const folder of ["wallet/src/messages", "terminal/src/messages"])
    assert.deepEqual(readdirSync(folderOf(folder)).sort(), LANGUAGES.map((language) => `${language}.json`).sort());
});
