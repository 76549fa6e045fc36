import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { formatMinor } from "@cairn/messages";
import { type LedgerAccount, type LedgerEntry, SETTLEMENT_SENTENCES, topUpEntry } from "@cairn/settle";
import { aChain, anItem, aWord, EUR, messageId, NOW, payeeId, requestHash, terminalId, World } from "./world.ts";

/** docs/spec/ledger.md says what the code does: its table of codes, and the numbers of its example. */
const page = await readFile(fileURLToPath(new URL("../../../docs/spec/ledger.md", import.meta.url)), "utf8");

test("the page lists every settlement code with its sentence, and no other", () => {
  const section = page.slice(page.indexOf("The settlement codes"), page.indexOf("## Conflicts"));
  const listed = [...section.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(([, code, sentence]) => [code, sentence]);
  assert.deepEqual(listed, Object.entries(SETTLEMENT_SENTENCES));
});

const nameOf = (ledgerAccount: LedgerAccount): string => {
  if (ledgerAccount.kind === "wallet" || ledgerAccount.kind === "credit") return `${ledgerAccount.kind}:1`;
  return ledgerAccount.kind === "clearing" ? `clearing:${ledgerAccount.payeeId}` : ledgerAccount.kind;
};
const absolute = (minor: bigint): bigint => (minor < 0n ? -minor : minor);
const side = (entry: LedgerEntry, sign: 1 | -1): string =>
  entry.postings
    .filter(({ minor }) => minor > 0n === sign > 0)
    .map(({ ledgerAccount, minor }) => `${nameOf(ledgerAccount)} ${formatMinor(absolute(minor), EUR)}`)
    .join(", ");

test("the worked example is what the code posts", () => {
  const topUp = (amountMinor: bigint, creditUsedMinor: bigint): LedgerEntry =>
    topUpEntry({ account: 7, currency: EUR, amountMinor, creditUsedMinor, idempotencyKey: `${amountMinor}`, at: NOW });
  const world = new World({ balanceMinor: 4_000n, creditMinor: 2_500n, certificates: [{ limitMinor: 6_000n }] });
  const shops = [1, 2, 1];
  const items = aChain([2_500n, 3_000n, 500n]).map((item, index) => {
    const shop = shops[index] ?? 0;
    const takenMinor = index === 2 ? 320n : item.amountMinor;
    const payeeWord = aWord({ payeeId: payeeId(shop), terminalId: terminalId(shop), takenMinor });
    return index === 2
      ? { ...item, kind: "open-payment" as const, requestHash: undefined, payeeWord }
      : { ...item, payeeWord };
  });
  const copied = anItem({
    paymentId: messageId(9),
    sequence: 2,
    amountMinor: 2_000n,
    spentMinor: 4_500n,
    requestHash: requestHash(9),
    payeeWord: aWord({ payeeId: payeeId(3), terminalId: terminalId(3), takenMinor: 2_000n }),
  });
  const { conflicts } = world.settle([...items, copied]);
  assert.deepEqual([conflicts[0]?.first, conflicts[0]?.second], [messageId(2), messageId(9)]);

  const entries = [topUp(4_000n, 0n), ...world.entries, topUp(3_000n, 2_500n)];
  const section = page.slice(page.indexOf("## A worked example"), page.indexOf("## Invariants"));
  const posted = [...section.matchAll(/^\| \d \| [^|]+ \| ([^|]+) \| ([^|]+) \|$/gm)].map(([, ...sides]) => sides);
  assert.deepEqual(
    posted,
    entries.map((entry) => [side(entry, 1), side(entry, -1)]),
  );

  const sums = new Map<string, bigint>();
  for (const { ledgerAccount, minor } of entries.flatMap((entry) => entry.postings))
    sums.set(nameOf(ledgerAccount), (sums.get(nameOf(ledgerAccount)) ?? 0n) + minor);
  const expected = [...sums].sort(([left], [right]) => (left < right ? -1 : 1));
  const total = expected.reduce((sum, [, minor]) => sum + minor, 0n);
  const trial = [...section.matchAll(/^\| ([^|]+) \| (-?[\d.]+) \|$/gm)].map(([, ...line]) => line);
  assert.deepEqual(
    trial,
    [...expected, ["all together", total] as const].map(([name, minor]) => [name, formatMinor(minor, EUR)]),
  );
});
