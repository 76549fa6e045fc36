import type { Currency, PayeeId } from "@cairn/messages";
import type { LedgerEntry } from "./model.ts";

/** From clearing to the payee's own account, and from there to the payee's bank. Pure; spec: docs/guides/books.md. */

/** What a payee pays for the service, of each payout. */
export type FeePolicy = {
  /** Hundredths of a percent of the payout. */
  readonly basisPoints: number;
  readonly fixedMinor: bigint;
  readonly minimumMinor: bigint;
  /** Undefined: no bound. */
  readonly maximumMinor: bigint | undefined;
};

/**
 * Share plus fixed part, rounded half up to a whole minor unit, then at least the minimum and at most the maximum;
 * never more than the payout itself.
 */
export function feeOf(grossMinor: bigint, policy: FeePolicy): bigint {
  const shareMinor = (grossMinor * BigInt(policy.basisPoints) + 5_000n) / 10_000n;
  const wantedMinor = larger(shareMinor + policy.fixedMinor, policy.minimumMinor);
  const boundMinor = policy.maximumMinor === undefined ? wantedMinor : smaller(wantedMinor, policy.maximumMinor);
  return smaller(boundMinor, grossMinor);
}

type About = { readonly payeeId: PayeeId; readonly currency: Currency; readonly at: number };

/** Empties a payee's clearing in one partition. At home it arrives at once, elsewhere it is on its way. */
export function sweepEntry(
  input: About & {
    readonly from: number;
    readonly home: number;
    readonly number: number;
    readonly amountMinor: bigint;
  },
): LedgerEntry {
  const { payeeId, from, home, amountMinor } = input;
  const isHome = from === home;
  return {
    kind: isHome ? "sweep" : "sweep-out",
    reference: `${isHome ? "sweep" : "sweep-out"}:${payeeId}:${from}:${input.currency}:${input.number}`,
    currency: input.currency,
    postedAt: input.at,
    postings: [
      { ledgerAccount: { kind: "clearing", payeeId }, minor: amountMinor },
      { ledgerAccount: isHome ? { kind: "payee", payeeId } : { kind: "sweeping", payeeId, from }, minor: -amountMinor },
    ],
  };
}

/** Brings home what was sent and has not arrived. The total that arrived before makes the reference: it only rises. */
export function sweepArrival(
  input: About & { readonly from: number; readonly arrivedMinor: bigint; readonly amountMinor: bigint },
): LedgerEntry {
  const { payeeId, from, amountMinor } = input;
  return {
    kind: "sweep-in",
    reference: `sweep-in:${payeeId}:${from}:${input.currency}:${input.arrivedMinor}`,
    currency: input.currency,
    postedAt: input.at,
    postings: [
      { ledgerAccount: { kind: "sweeping", payeeId, from }, minor: amountMinor },
      { ledgerAccount: { kind: "payee", payeeId }, minor: -amountMinor },
    ],
  };
}

type PayoutAbout = About & { readonly batchId: string; readonly netMinor: bigint; readonly feeMinor: bigint };

/** Fee and payout leave the payee's account when the batch is made; nothing is posted of zero. */
export function payoutEntries(input: PayoutAbout): readonly LedgerEntry[] {
  const { payeeId, netMinor, feeMinor } = input;
  return (
    [
      ["fee", feeMinor, "fees"],
      ["payout", netMinor, "payouts"],
    ] as const
  ).flatMap(([kind, minor, to]) =>
    minor === 0n
      ? []
      : [
          {
            kind,
            reference: `${kind}:${input.batchId}:${payeeId}`,
            currency: input.currency,
            postedAt: input.at,
            postings: [
              { ledgerAccount: { kind: "payee", payeeId }, minor },
              { ledgerAccount: { kind: to }, minor: -minor },
            ],
          },
        ],
  );
}

/** The bank's word: paid, or returned. What is returned comes back to the payee in full, the fee with it. */
export function payoutOutcomeEntry(input: PayoutAbout & { readonly state: "paid" | "returned" }): LedgerEntry {
  const { payeeId, netMinor, feeMinor, state } = input;
  const kind = state === "paid" ? "payout-paid" : "payout-returned";
  return {
    kind,
    reference: `${kind}:${input.batchId}:${payeeId}`,
    currency: input.currency,
    postedAt: input.at,
    postings: [
      { ledgerAccount: { kind: "payouts" }, minor: netMinor },
      ...(state === "paid"
        ? [{ ledgerAccount: { kind: "cash" } as const, minor: -netMinor }]
        : [
            ...(feeMinor > 0n ? [{ ledgerAccount: { kind: "fees" } as const, minor: feeMinor }] : []),
            { ledgerAccount: { kind: "payee", payeeId } as const, minor: -(netMinor + feeMinor) },
          ]),
    ],
  };
}

const smaller = (left: bigint, right: bigint): bigint => (left < right ? left : right);
const larger = (left: bigint, right: bigint): bigint => (left > right ? left : right);
