import { hash } from "node:crypto";
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
      return `clearing:${ledgerAccount.payeeId}`;
    case "loss-reserve":
    case "cash":
      return ledgerAccount.kind;
  }
}

/** @throws StoreError STORE_DAMAGED */
export function readLedgerAccount(text: string): LedgerAccount {
  const [kind, about = ""] = text.split(":", 2);
  if (kind === "wallet" || kind === "credit") return { kind, account: Number(about) };
  if (kind === "clearing" && isPayeeId(about)) return { kind, payeeId: about };
  if (text === "loss-reserve" || text === "cash") return { kind: text };
  throw new StoreError("STORE_DAMAGED", `"${text}" is no ledger account.`);
}

/** What the first entry of a partition follows. */
export const FIRST_HASH: Uint8Array = new Uint8Array(32);

/**
 * SHA-256 over the hash of the partition's entry before and this entry's JSON: whoever changes or removes an entry has
 * to change every later one and the head that is kept beside them.
 */
export function entryHash(
  previous: Uint8Array,
  entry: Pick<LedgerEntry, "reference" | "kind" | "currency" | "postedAt"> & {
    readonly entryId: number;
    readonly postings: readonly { readonly ledgerAccount: string; readonly minor: bigint }[];
  },
): Uint8Array {
  const { entryId, kind, reference, currency, postedAt } = entry;
  const postings = entry.postings.map(({ ledgerAccount, minor }) => [ledgerAccount, minor.toString()]);
  const text = JSON.stringify([entryId, kind, reference, currency, postedAt, postings]);
  return hash("sha256", Buffer.concat([previous, Buffer.from(text)]), "buffer");
}
