import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const LANGUAGES = ["en", "zh", "es", "ar", "fr"];

function messages(language: string): Record<string, string> {
  return JSON.parse(readFileSync(new URL(`../src/messages/${language}.json`, import.meta.url), "utf8"));
}

const placeholders = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();

test("every language has the same messages with the same placeholders", () => {
  const english = messages("en");
  for (const language of LANGUAGES) {
    const translated = messages(language);
    assert.deepEqual(Object.keys(translated), Object.keys(english), language);
    for (const [key, text] of Object.entries(translated)) {
      assert.ok(text.trim() !== "", `${language} ${key}`);
      assert.deepEqual(placeholders(text), placeholders(english[key] ?? ""), `${language} ${key}`);
    }
  }
});
