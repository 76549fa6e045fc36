import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { currency } from "@cairn/messages";
import { ENTRY_KINDS } from "@cairn/settle";
import fc from "fast-check";
import { pain001 } from "../src/services/payouts/documents.ts";
import { camt053 } from "../src/services/statement-documents.ts";
import { plus } from "../src/services/statements.ts";
import { schemaValidator } from "./support/iso-schemas.ts";
import { payeeId } from "./support/values.ts";

const IBAN = "DE89370400440532013000";
const currencies = fc.constantFrom("EUR", "JPY", "KWD", "CHF").map(currency);
const times = fc.integer({ min: 0, max: 4_294_967_295 });
const minors = fc.bigInt({ min: 0n, max: 2n ** 53n - 1n });
/** Names of the longest kind, with what XML has to escape. */
const names = fc
  .string({ unit: fc.constantFrom("a", "é", "&", "<", ">", '"', "'", " ", "字"), minLength: 1, maxLength: 40 })
  .filter((name) => name.trim() === name);
const payeeIds = fc.stringMatching(/^[A-Z0-9-]{1,16}$/).map(payeeId);

const batches = fc
  .record({
    batchId: fc.stringMatching(/^[A-Z0-9-]{1,18}$/),
    currency: currencies,
    createdAt: times,
    debtor: names,
    payouts: fc.array(fc.record({ payeeId: payeeIds, netMinor: minors.map(String), holder: names }), {
      minLength: 1,
      maxLength: 4,
    }),
  })
  .map(({ payouts, debtor, ...about }) => {
    const ordered = { state: "ordered", reason: null, decidedAt: null, feeMinor: "0", iban: IBAN, ...about } as const;
    return {
      batch: { ...about, exportedAt: null, payees: payouts.map((payout) => payout.payeeId) },
      payouts: payouts.map((payout) => ({ ...ordered, ...payout, grossMinor: payout.netMinor })),
      debtor: { name: debtor, iban: IBAN, executionDate: "2026-12-01" },
    };
  });

const standings = fc.record({ balanceMinor: minors, creditUsedMinor: minors });
const statements = fc.record({
  of: fc.oneof(
    fc.integer({ min: 1, max: 281_474_976_710_655 }).map((account) => `account ${account}`),
    payeeIds.map((id) => `payee ${id}`),
  ),
  currency: currencies,
  period: fc.record({ from: times, to: times }),
  opening: standings,
  lines: fc.array(
    fc
      .record({
        entryId: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        kind: fc.constantFrom(...ENTRY_KINDS),
        reference: fc.string({ maxLength: 600, unit: fc.constantFrom("x", "&", "<", ":") }),
        postedAt: times,
      })
      .chain((line) => standings.map((standing) => ({ ...line, ...standing }))),
    { maxLength: 4 },
  ),
});

test("payment orders are valid by the schema that ISO 20022 publishes for pain.001.001.09, whatever the names", (t) => {
  const validate = schemaValidator(t);
  if (validate === undefined) return;
  const documents = fc.sample(batches, 60).map(({ debtor, ...view }) => pain001(view, debtor));
  assert.deepEqual(validate("pain.001.001.09", documents), []);
  // The validator sees what is wrong.
  const [first = ""] = documents;
  for (const [from, to] of [
    [/<NbOfTxs>\d+<\/NbOfTxs>/, ""],
    ["<PmtMtd>TRF</PmtMtd>", "<PmtMtd>XXX</PmtMtd>"],
    [IBAN, "not an iban"],
  ] as const)
    assert.notDeepEqual(validate("pain.001.001.09", [first.replace(from, to)]), [], `${from}`);
});

test("statements are valid by the schema that ISO 20022 publishes for camt.053.001.08, whatever was posted", async (t) => {
  const validate = schemaValidator(t);
  if (validate === undefined) return;
  const documents = await Promise.all(
    fc.sample(statements, 60).map(({ lines, ...about }) => {
      const closing = lines.reduce(plus, about.opening);
      return text(Readable.from(camt053({ ...about, closing, lines: Readable.from(lines) })));
    }),
  );
  assert.deepEqual(validate("camt.053.001.08", documents), []);
  const [first = ""] = documents;
  for (const [from, to] of [
    ["<Stmt>", "<Rpt>"],
    [/<Bal>.*<\/Bal>/gs, ""],
    ["OPBD", "A code that is too long"],
  ] as const)
    assert.notDeepEqual(validate("camt.053.001.08", [first.replace(from, to)]), [], `${from}`);
});
