import type { CertificateId, PayeeId } from "@cairn/messages";
import { CertificateSheet } from "./certificate-sheet.ts";
import { fund, type PayerAccounts, payerAccounts, settlementEntry } from "./funding.ts";
import { type Judgement, judge } from "./judge.ts";
import type {
  ConflictProof,
  Funding,
  LedgerAccount,
  LedgerEntry,
  PayeeWord,
  SettlementItem,
  SettlementOutcome,
  SettlementPolicy,
  SettlementResult,
  SettlementState,
} from "./model.ts";
import { SettleError } from "./settle-error.ts";

/** What a payer's account still gives, and its ledger accounts: the same objects for all of a batch's entries. */
type Payer = PayerAccounts & { balanceMinor: bigint; creditAvailableMinor: bigint };

export type SettlementContext = { readonly now: number; readonly policy: SettlementPolicy };

/** What a batch has decided so far. */
export class Batch {
  readonly context: SettlementContext;
  readonly #state: SettlementState;
  readonly #sheets = new Map<CertificateId, CertificateSheet>();
  readonly #payers = new Map<number, Payer>();
  readonly #clearings = new Map<PayeeId, LedgerAccount>();
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
    const { voidedRequests } = this.#state;
    if (item.voided || voidedRequests.size === 0) return item.voided;
    return item.requestHash !== undefined && voidedRequests.has(item.requestHash);
  }

  noteConflict(sheet: CertificateSheet, proof: ConflictProof | undefined): void {
    if (proof === undefined) return;
    sheet.conflict = proof;
    sheet.revokedAt ??= proof.provenAt;
    this.#conflicts.push(proof);
  }

  /** Gives the position of the entry, if money moves at all. */
  post(
    item: Pick<SettlementItem, "paymentId">,
    word: Pick<PayeeWord, "payeeId" | "takenMinor">,
    { certificate }: CertificateSheet,
  ): { readonly funding: Funding; readonly entry: number | undefined } {
    const { account, currency } = certificate;
    const payer = this.#payer(account);
    const { paymentId } = item;
    const { payeeId, takenMinor } = word;
    const funding = fund(payer, takenMinor);
    payer.balanceMinor -= funding.balanceMinor;
    payer.creditAvailableMinor -= funding.creditMinor;
    if (takenMinor === 0n) return { funding, entry: undefined };
    const clearing = this.#clearingOf(payeeId);
    const at = this.context.now;
    const entry = settlementEntry({ paymentId, accounts: payer, clearing, currency, takenMinor, funding, at });
    return { funding, entry: this.#entries.push(entry) - 1 };
  }

  #payer(account: number): Payer {
    const known = this.#payers.get(account);
    if (known !== undefined) return known;
    const funds = this.#state.funds.get(account);
    if (funds === undefined) throw new SettleError("FUNDS_MISSING", "The state lacks the funds of an account.");
    const { balanceMinor, creditAvailableMinor } = funds;
    const payer = { ...payerAccounts(account), balanceMinor, creditAvailableMinor };
    this.#payers.set(account, payer);
    return payer;
  }

  #clearingOf(payeeId: PayeeId): LedgerAccount {
    let clearing = this.#clearings.get(payeeId);
    if (clearing === undefined) {
      clearing = { kind: "clearing", payeeId };
      this.#clearings.set(payeeId, clearing);
    }
    return clearing;
  }

  result(outcomes: readonly SettlementOutcome[]): SettlementResult {
    const sheets = [...this.#sheets.values()];
    return {
      outcomes,
      entries: this.#entries,
      payments: sheets.flatMap((sheet) => sheet.changes),
      sideClaims: sheets.flatMap((sheet) => sheet.sideClaims),
      exposures: sheets.flatMap((sheet) => sheet.exposureChange() ?? []),
      conflicts: this.#conflicts,
    };
  }
}
