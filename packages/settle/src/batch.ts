import type { CertificateId } from "@cairn/messages";
import { CertificateSheet } from "./certificate-sheet.ts";
import { fund, settlementEntry } from "./funding.ts";
import { type Judgement, judge } from "./judge.ts";
import type {
  AccountFunds,
  ConflictProof,
  Funding,
  LedgerEntry,
  PayeeWord,
  SettlementItem,
  SettlementOutcome,
  SettlementPolicy,
  SettlementResult,
  SettlementState,
} from "./model.ts";
import { SettleError } from "./settle-error.ts";

export type SettlementContext = { readonly now: number; readonly policy: SettlementPolicy };

/** What a batch has decided so far. */
export class Batch {
  readonly context: SettlementContext;
  readonly #state: SettlementState;
  readonly #sheets = new Map<CertificateId, CertificateSheet>();
  readonly #funds = new Map<number, AccountFunds>();
  readonly #entries: LedgerEntry[] = [];
  readonly #conflicts: ConflictProof[] = [];

  constructor(state: SettlementState, context: SettlementContext) {
    this.#state = state;
    this.context = context;
  }

  sheet(certificateId: CertificateId): CertificateSheet | undefined {
    const open = this.#sheets.get(certificateId);
    if (open !== undefined) return open;
    const certificate = this.#state.certificates.get(certificateId);
    if (certificate === undefined) return undefined;
    const sheet = new CertificateSheet(certificate);
    this.#sheets.set(certificateId, sheet);
    return sheet;
  }

  judge(item: SettlementItem, sheet: CertificateSheet): Judgement {
    return judge(item, sheet, { voided: this.isVoided(item), policy: this.context.policy });
  }

  isVoided(item: SettlementItem): boolean {
    return item.voided || (item.requestHash !== undefined && this.#state.voidedRequests.has(item.requestHash));
  }

  noteConflict(sheet: CertificateSheet, proof: ConflictProof | undefined): void {
    if (proof === undefined) return;
    sheet.conflict = proof;
    sheet.revokedAt ??= proof.provenAt;
    this.#conflicts.push(proof);
  }

  post(
    item: Pick<SettlementItem, "paymentId">,
    word: Pick<PayeeWord, "payeeId" | "takenMinor">,
    { certificate }: CertificateSheet,
  ): Funding {
    const { account, currency } = certificate;
    const funds = this.#funds.get(account) ?? this.#state.funds.get(account);
    if (funds === undefined) throw new SettleError("FUNDS_MISSING", "The state lacks the funds of an account.");
    const { paymentId } = item;
    const { payeeId, takenMinor } = word;
    const funding = fund(funds, takenMinor);
    this.#funds.set(account, {
      account,
      balanceMinor: funds.balanceMinor - funding.balanceMinor,
      creditAvailableMinor: funds.creditAvailableMinor - funding.creditMinor,
    });
    const at = this.context.now;
    const entry = settlementEntry({ paymentId, account, payeeId, currency, takenMinor, funding, at });
    if (entry !== undefined) this.#entries.push(entry);
    return funding;
  }

  result(outcomes: readonly SettlementOutcome[]): SettlementResult {
    const sheets = [...this.#sheets.values()];
    return {
      outcomes,
      entries: this.#entries,
      payments: sheets.flatMap((sheet) => sheet.changes()),
      sideClaims: sheets.flatMap((sheet) => sheet.sideClaims),
      exposures: sheets.flatMap((sheet) => sheet.exposureChange() ?? []),
      conflicts: this.#conflicts,
    };
  }
}
