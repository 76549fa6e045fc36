import type { EntrySeal, KeptMovement, LedgerHead } from "@cairn/stores";

/** `from`: the newest entries when sealing began, as the issuer's key file keeps them. */
export type SealsForAudit = { readonly seal: EntrySeal; readonly from: readonly LedgerHead[] };

/**
 * Whether entries that settle no payment, which no payer signed for, were posted by somebody who has the issuer's secret.
 * Those from before sealing began are covered by the chain up to the entry that was the newest then.
 */
export class SealAudit {
  readonly from: readonly LedgerHead[];
  readonly #seal: EntrySeal;
  readonly #report: (fault: string) => void;
  readonly #beginnings: ReadonlyMap<number, number>;
  #sealed = 0;

  constructor({ seal, from }: SealsForAudit, report: (fault: string) => void) {
    this.from = from;
    this.#seal = seal;
    this.#report = report;
    this.#beginnings = new Map(from.map(({ partition, entryId }) => [partition, entryId]));
  }

  /** Entries that bear their seal. */
  get sealed(): number {
    return this.#sealed;
  }

  beginnings(missing: readonly LedgerHead[]): void {
    for (const { partition, entryId } of missing)
      this.#report(`Entry ${entryId}, the newest of partition ${partition} when sealing began, is not what it was.`);
  }

  movements(kept: readonly KeptMovement[]): void {
    for (const { partition, entryId, sealed, seal } of kept) {
      if (seal === this.#seal(sealed)) this.#sealed++;
      else if (seal !== undefined || entryId > (this.#beginnings.get(partition) ?? 0))
        this.#report(`Entry ${entryId} bears no seal of the issuer: nobody who has its secret posted it.`);
    }
  }
}
