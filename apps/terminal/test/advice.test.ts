import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { adviceFor } from "@cairn/app-kit/advice";
import { MALFORMED_SENTENCES, REFUSAL_SENTENCES } from "@cairn/messages";

const english: Record<string, string> = JSON.parse(
  readFileSync(new URL("../src/messages/en.json", import.meta.url), "utf8"),
);

test("every refusal has advice for the cashier that the messages know", () => {
  for (const code of [...Object.keys(REFUSAL_SENTENCES), ...Object.keys(MALFORMED_SENTENCES), "CBOR_TRUNCATED"]) {
    assert.ok(english[`advice.${adviceFor(code)}`], `${code}: ${adviceFor(code)}`);
  }
});

test("a replayed or doubly paid request never says that goods may go out again", () => {
  assert.equal(adviceFor("PAYMENT_REPLAYED"), "do-not-hand-over");
  assert.equal(adviceFor("REQUEST_ALREADY_PAID"), "do-not-hand-over");
});

test("forged, withdrawn and contradicting payments ask for another means of payment", () => {
  for (const code of ["SIGNATURE_INVALID", "CERTIFICATE_REVOKED", "SEQUENCE_CONFLICT", "ISSUER_UNKNOWN"]) {
    assert.equal(adviceFor(code), "another-means", code);
  }
});

test("what only this terminal can mend sends it online", () => {
  for (const code of ["STATUS_LIST_STALE", "STORED_TOTAL_REACHED", "PAYEE_CERTIFICATE_EXPIRED", "TRUST_LIST_EXPIRED"]) {
    assert.equal(adviceFor(code), "terminal-go-online", code);
  }
});

test("damaged codes are scanned again", () => {
  assert.equal(adviceFor("CBOR_TRUNCATED"), "scan-again");
  assert.equal(adviceFor("CODE_TEXT_INVALID"), "scan-again");
});
