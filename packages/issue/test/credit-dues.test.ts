import assert from "node:assert/strict";
import { test } from "node:test";
import { afterRepayment, type CreditDue, duesAfterStatement, overdueOf } from "@cairn/issue";
import fc from "fast-check";
import { DAY, NOW } from "./views.ts";

const due = (dueAt: number, minor: bigint): CreditDue => ({ dueAt, minor });
const terms = { at: NOW, dueAfterSeconds: 14 * DAY };

test("a statement asks for what is used and was not asked for before", () => {
  assert.deepEqual(duesAfterStatement({ dues: [], usedMinor: 500n }, terms), [due(NOW + 14 * DAY, 500n)]);
  const first = due(NOW - DAY, 300n);
  assert.deepEqual(duesAfterStatement({ dues: [first], usedMinor: 500n }, terms), [first, due(NOW + 14 * DAY, 200n)]);
  assert.deepEqual(duesAfterStatement({ dues: [first], usedMinor: 300n }, terms), [first]);
  assert.deepEqual(duesAfterStatement({ dues: [], usedMinor: 0n }, terms), []);
});

test("overdue is what is past its date, and never more than is used, unless the bureau says so", () => {
  const dues = [due(NOW - 1, 300n), due(NOW, 200n)];
  assert.equal(overdueOf({ overdueMinor: 0n, dues, usedMinor: 500n }, NOW), 300n);
  assert.equal(overdueOf({ overdueMinor: 0n, dues, usedMinor: 500n }, NOW + 1), 500n);
  assert.equal(overdueOf({ overdueMinor: 0n, dues, usedMinor: 120n }, NOW), 120n);
  assert.equal(overdueOf({ overdueMinor: 400n, dues, usedMinor: 500n }, NOW), 400n);
  assert.equal(overdueOf({ overdueMinor: 7n, dues: [], usedMinor: 0n }, NOW), 7n);
});

test("what comes in repays the oldest first", () => {
  const dues = [due(1, 300n), due(2, 200n)];
  assert.deepEqual(afterRepayment({ overdueMinor: 350n, dues }, 310n), { overdueMinor: 40n, dues: [due(2, 190n)] });
  assert.deepEqual(afterRepayment({ overdueMinor: 0n, dues }, 300n), { overdueMinor: 0n, dues: [due(2, 200n)] });
  assert.deepEqual(afterRepayment({ overdueMinor: 9n, dues }, 9_999n), { overdueMinor: 0n, dues: [] });
});

test("however statements, uses and repayments alternate: nothing is asked for twice, and whoever repays all owes nothing", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("use" as const), minor: fc.bigInt({ min: 1n, max: 500n }) }),
    fc.record({ kind: fc.constant("repay" as const), minor: fc.bigInt({ min: 1n, max: 800n }) }),
    fc.record({ kind: fc.constant("statement" as const), minor: fc.constant(0n) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let usedMinor = 0n;
      let dues: readonly CreditDue[] = [];
      steps.forEach(({ kind, minor }, index) => {
        if (kind === "use") usedMinor += minor;
        if (kind === "statement") dues = duesAfterStatement({ dues, usedMinor }, { ...terms, at: NOW + index });
        if (kind === "repay") {
          const repaidMinor = minor < usedMinor ? minor : usedMinor;
          usedMinor -= repaidMinor;
          dues = afterRepayment({ overdueMinor: 0n, dues }, repaidMinor).dues;
        }
        const askedMinor = dues.reduce((sumMinor, each) => sumMinor + each.minor, 0n);
        assert.ok(askedMinor <= usedMinor);
        if (kind === "statement") assert.equal(askedMinor, usedMinor);
        assert.deepEqual(
          dues.map(({ dueAt }) => dueAt),
          dues.map(({ dueAt }) => dueAt).toSorted((left, right) => left - right),
        );
      });
      assert.deepEqual(afterRepayment({ overdueMinor: 0n, dues }, usedMinor).dues, []);
    }),
  );
});
