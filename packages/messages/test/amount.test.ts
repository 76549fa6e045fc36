import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AmountCode,
  AmountError,
  addAmounts,
  amount,
  currency,
  formatAmount,
  formatMinor,
  MAXIMUM_MINOR,
  parseAmount,
  subtractAmounts,
} from "@cairn/messages";
import fc from "fast-check";

const EUR = currency("EUR");
const JPY = currency("JPY");
const BHD = currency("BHD");

const refuses = (code: AmountCode, work: () => unknown): void => {
  assert.throws(work, (error) => error instanceof AmountError && error.code === code);
};

test("amounts are read and written with the digits that their currency has", () => {
  const cases: [string, typeof EUR, bigint, string][] = [
    ["13.37", EUR, 1337n, "13.37 EUR"],
    ["13", EUR, 1300n, "13.00 EUR"],
    ["0.05", EUR, 5n, "0.05 EUR"],
    ["1337", JPY, 1337n, "1337 JPY"],
    ["1.234", BHD, 1234n, "1.234 BHD"],
  ];
  for (const [text, of, minor, shown] of cases) {
    assert.deepEqual(parseAmount(text, of), { currency: of, minor });
    assert.equal(formatAmount(amount(minor, of)), shown);
  }
  assert.equal(formatMinor(-5n, EUR), "-0.05");
});

test("text that is not an amount is refused", () => {
  for (const text of ["", "-1", "+1", "1,00", "1.234", ".5", "1.", "1e3", " 1", "0x10", "٣", "1 000"]) {
    refuses("AMOUNT_TEXT_INVALID", () => parseAmount(text, EUR));
  }
  refuses("AMOUNT_TEXT_INVALID", () => parseAmount("1.5", JPY));
  refuses("AMOUNT_RANGE", () => parseAmount("99999999999999.99", EUR));
});

test("whoever writes an amount wrongly reads how it is written in that currency", () => {
  for (const [of, example] of [
    [EUR, "13.37"],
    [JPY, "1337"],
    [BHD, "13.370"],
  ] as const)
    assert.throws(() => parseAmount("x", of), { message: `"x" is not an amount in ${of}. Write it like ${example}.` });
  assert.equal(formatMinor(0n, EUR), "0.00");
  assert.equal(formatMinor(-7n, JPY), "-7");
});

test("amounts are added and subtracted, from nothing up to the most there is", () => {
  const [nothing, most] = [amount(0n, EUR), amount(MAXIMUM_MINOR, EUR)];
  assert.deepEqual(addAmounts(amount(5n, EUR), amount(7n, EUR)), { currency: EUR, minor: 12n });
  assert.deepEqual(subtractAmounts(amount(7n, EUR), amount(5n, EUR)), { currency: EUR, minor: 2n });
  assert.deepEqual(subtractAmounts(most, most), nothing);
  assert.deepEqual(addAmounts(nothing, most), most);
});

test("overflow, negative results and mixed currencies are errors", () => {
  refuses("AMOUNT_RANGE", () => amount(-1n, EUR));
  refuses("AMOUNT_RANGE", () => amount(MAXIMUM_MINOR + 1n, EUR));
  refuses("AMOUNT_RANGE", () => addAmounts(amount(MAXIMUM_MINOR, EUR), amount(1n, EUR)));
  refuses("AMOUNT_RANGE", () => subtractAmounts(amount(1n, EUR), amount(2n, EUR)));
  refuses("AMOUNT_CURRENCIES_DIFFER", () => addAmounts(amount(1n, EUR), amount(1n, JPY)));
  for (const text of ["eur", "EURO", "E1R", ""]) refuses("AMOUNT_CURRENCY_UNKNOWN", () => currency(text));
});

test("what is written is read back, in any currency", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, MAXIMUM_MINOR), fc.constantFrom(EUR, JPY, BHD), (minor, of) => {
      assert.equal(parseAmount(formatMinor(minor, of), of).minor, minor);
    }),
  );
});
