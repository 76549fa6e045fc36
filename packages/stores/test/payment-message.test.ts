import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeSyncRecord, encodeUploadRecord } from "@cairn/messages";
import { StoreError } from "@cairn/stores";
import { paymentMessageIn } from "../src/issuer/payment-message.ts";
import { messageId, recordBytes, signedPayment, someBytes } from "./issuer-fixture.ts";

const paymentId = messageId(7);

test("a payment is found in whichever record brought it", () => {
  for (const kind of ["payment", "open-payment"] as const)
    for (const broughtBy of ["terminal", "payer"] as const)
      assert.deepEqual(
        [...paymentMessageIn({ broughtBy, bytes: recordBytes({ paymentId, kind, broughtBy }) })],
        [...signedPayment(paymentId)],
      );
});

test("a record without a payment, or of somebody else's shape, or of none, is damage", () => {
  const [payeeCertificate, request, requestVoid] = [someBytes(1), someBytes(2), someBytes(3)];
  const [byTerminal, byPayer] = (["terminal", "payer"] as const).map((broughtBy) =>
    recordBytes({ paymentId, kind: "payment", broughtBy }),
  );
  assert.ok(byTerminal !== undefined && byPayer !== undefined);
  for (const [broughtBy, bytes] of [
    ["terminal", encodeUploadRecord({ kind: "void", payeeCertificate, request, requestVoid })],
    ["terminal", byPayer],
    ["terminal", Uint8Array.of(0xff)],
    ["payer", encodeSyncRecord({ kind: "closing", closing: someBytes(1) })],
    ["payer", byTerminal],
    ["payer", new Uint8Array()],
  ] as const)
    assert.throws(
      () => paymentMessageIn({ broughtBy, bytes }),
      (error) => error instanceof StoreError && error.code === "STORE_DAMAGED",
    );
});
