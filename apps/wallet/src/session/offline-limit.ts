import type { Holding, WalletStatus } from "@cairn/pay";

/** What can be paid offline, in one picture. Amounts are minor units. */
export type OfflineLimit = {
  readonly leftMinor: bigint;
  readonly limitMinor: bigint;
  /** Most for one payment. */
  readonly atOnceMinor: bigint;
  /** When the first of the certificates in use runs out, seconds since 1970; undefined without one. */
  readonly until: number | undefined;
  readonly state: "ready" | "low" | "used-up" | "expired" | "revoked" | "none";
};

/** Below this part of the limit it is time to sync: one fifth. */
const LOW_PART = 5n;

export function offlineLimit({ holdings }: Pick<WalletStatus, "holdings">): OfflineLimit {
  const usable = holdings.filter(({ state }) => state === "usable");
  const sum = (of: (holding: Holding) => bigint): bigint => usable.reduce((total, each) => total + of(each), 0n);
  const leftMinor = sum(({ remainingMinor }) => remainingMinor);
  const limitMinor = sum(({ certificate }) => certificate.terms.limitMinor);
  const atOnce = usable.map(({ certificate: { terms }, remainingMinor }) =>
    remainingMinor < terms.perPaymentCapMinor ? remainingMinor : terms.perPaymentCapMinor,
  );
  const ends = usable
    .filter(({ remainingMinor }) => remainingMinor > 0n)
    .map(({ certificate }) => certificate.expiresAt);
  return {
    leftMinor,
    limitMinor,
    atOnceMinor: atOnce.reduce((most, each) => (each > most ? each : most), 0n),
    until: ends.length === 0 ? undefined : Math.min(...ends),
    state: stateOf(holdings, { leftMinor, limitMinor, usable: usable.length }),
  };
}

function stateOf(
  holdings: readonly Holding[],
  {
    leftMinor,
    limitMinor,
    usable,
  }: { readonly leftMinor: bigint; readonly limitMinor: bigint; readonly usable: number },
): OfflineLimit["state"] {
  if (usable === 0) {
    const newest = holdings.findLast(({ state }) => state !== "closed");
    return newest === undefined ? "none" : newest.state === "revoked" ? "revoked" : "expired";
  }
  if (leftMinor === 0n) return "used-up";
  return leftMinor * LOW_PART < limitMinor ? "low" : "ready";
}
