import type { SyncAnswer } from "@cairn/issuer/client";

/** The account as the issuer last told it: for the eye alone, nothing is decided by it. Amounts are minor units. */
export type AccountView = {
  /** Seconds since 1970. */
  readonly heardAt: number;
  readonly balanceMinor: bigint;
  readonly creditLeftMinor: bigint;
  readonly creditLineMinor: bigint;
  readonly isFrozen: boolean;
  /** Why there is no new certificate, when the issuer said no. */
  readonly refusals: readonly { readonly code: string; readonly sentence: string }[];
};

const PLACE = "cairn-wallet-account";

export function keepAccount({ account, decision }: SyncAnswer, heardAt: number): void {
  const { balanceMinor, creditLineMinor, creditUsedMinor, status } = account;
  const creditLeftMinor = creditLineMinor > creditUsedMinor ? creditLineMinor - creditUsedMinor : 0n;
  const refusals = decision.kind === "refuse" ? decision.reasons : [];
  const view: AccountView = {
    heardAt,
    balanceMinor,
    creditLeftMinor,
    creditLineMinor,
    isFrozen: status === "frozen",
    refusals,
  };
  localStorage.setItem(
    PLACE,
    JSON.stringify(view, (_name, value) => (typeof value === "bigint" ? `${value}n` : value)),
  );
}

export function accountView(): AccountView | undefined {
  const kept = localStorage.getItem(PLACE);
  if (kept === null) return undefined;
  return JSON.parse(kept, (_name, value) =>
    typeof value === "string" && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
  );
}
