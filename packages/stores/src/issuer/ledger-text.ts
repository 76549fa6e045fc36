import { hash } from "node:crypto";
import { Scratch } from "@cairn/cose";
import type { Partition } from "@cairn/issue";
import { isPayeeId } from "@cairn/messages";
import type { LedgerAccount, LedgerEntry } from "@cairn/settle";
import { StoreError } from "./store-error.ts";

/** How a ledger account is named in rows, in the trial balance and to auditors. Spec: docs/spec/ledger.md "Chart of accounts". */
export function ledgerAccountText(ledgerAccount: LedgerAccount): string {
  switch (ledgerAccount.kind) {
    case "wallet":
    case "credit":
      return `${ledgerAccount.kind}:${ledgerAccount.account}`;
    case "clearing":
    case "payee":
      return `${ledgerAccount.kind}:${ledgerAccount.payeeId}`;
    case "sweeping":
      return `sweeping:${ledgerAccount.payeeId}:${ledgerAccount.from}`;
    case "transit":
      return `transit:${ledgerAccount.from}:${ledgerAccount.to}`;
    case "loss-reserve":
    case "payouts":
    case "fees":
    case "cash":
      return ledgerAccount.kind;
  }
}

/** @throws StoreError STORE_DAMAGED */
export function readLedgerAccount(text: string): LedgerAccount {
  const [kind, about = "", place = ""] = text.split(":", 3);
  if (kind === "wallet" || kind === "credit") return { kind, account: Number(about) };
  if ((kind === "clearing" || kind === "payee") && isPayeeId(about)) return { kind, payeeId: about };
  if (kind === "sweeping" && isPayeeId(about)) return { kind, payeeId: about, from: Number(place) };
  if (kind === "transit") return { kind, from: Number(about), to: Number(place) };
  if (text === "loss-reserve" || text === "cash" || text === "payouts" || text === "fees") return { kind: text };
  throw new StoreError("STORE_DAMAGED", `"${text}" is no ledger account.`);
}

/** A posting as it stands in rows. */
export type PostingText = { readonly ledgerAccount: string; readonly minor: bigint };

/** The postings of an entry as they are hashed: JSON, [[ledger account, minor units as text], ...]. */
export function postingsText(postings: readonly PostingText[]): string {
  // Names of ledger accounts hold letters, digits, ":" and "-" only, none of which JSON has to escape.
  let text = "";
  for (const { ledgerAccount, minor } of postings) text += `${text === "" ? "[" : ","}["${ledgerAccount}","${minor}"]`;
  return text === "" ? "[]" : `${text}]`;
}

/** @throws StoreError STORE_DAMAGED */
export function readPostings(text: string): PostingText[] {
  const damaged = (): StoreError => new StoreError("STORE_DAMAGED", `"${text}" are no postings.`);
  let lines: unknown;
  try {
    lines = JSON.parse(text);
  } catch {
    throw damaged();
  }
  if (!Array.isArray(lines)) throw damaged();
  return lines.map((line: unknown) => {
    const [ledgerAccount, minor, ...more] = Array.isArray(line) ? (line as unknown[]) : [];
    if (typeof ledgerAccount !== "string" || typeof minor !== "string" || more.length > 0) throw damaged();
    if (!/^-?[0-9]{1,19}$/.test(minor)) throw damaged();
    return { ledgerAccount, minor: BigInt(minor) };
  });
}

/** What the first entry of a partition follows. */
export const FIRST_HASH: Uint8Array = new Uint8Array(32);

/**
 * SHA-256 over the hash of the partition's entry before and this entry's JSON: whoever changes or removes an entry has
 * to change every later one and the head that is kept beside them.
 * @param entry `postings`: as {@link postingsText} writes them.
 */
export function entryHash(
  previous: Uint8Array,
  entry: Pick<LedgerEntry, "reference" | "kind" | "currency" | "postedAt"> & {
    readonly entryId: number;
    readonly postings: string;
  },
): Buffer {
  const { entryId, kind, reference, currency, postedAt, postings } = entry;
  const text = `[${entryId},"${kind}",${JSON.stringify(reference)},"${currency}",${postedAt},${postings}]`;
  // Three bytes at most for each of JavaScript's characters.
  const most = previous.length + 3 * text.length;
  const both = most <= SCRATCH.bytes.length ? SCRATCH.bytes : Buffer.alloc(most);
  both.set(previous);
  const length = previous.length + both.write(text, previous.length);
  const hashed = both === SCRATCH.bytes ? SCRATCH.first(length) : undefined;
  return Buffer.from(hash("sha256", hashed ?? both.subarray(0, length), "hex"), "hex");
}

/**
 * Makes what shows that an entry was posted by somebody who has the issuer's secret, of {@link sealedText}. Only of
 * entries that settle no payment: those that do follow from what payers signed.
 * Decision: docs/decisions/0068-entries-without-a-payer-are-sealed.md.
 */
export type EntrySeal = (text: string) => string;

/** @param entry `postings`: as {@link postingsText} writes them. */
export function sealedText(
  partition: Partition,
  entry: Pick<LedgerEntry, "reference" | "kind" | "currency" | "postedAt"> & { readonly postings: string },
): string {
  const { kind, reference, currency, postedAt, postings } = entry;
  return `[${partition},"${kind}",${JSON.stringify(reference)},"${currency}",${postedAt},${postings}]`;
}

/** A buffer for each entry would cost as much as its hash. */
const SCRATCH = new Scratch(Buffer.alloc(4096));
