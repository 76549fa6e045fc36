import {
  type CertificateId,
  type ChainHash,
  chainHashOf,
  currency,
  type MessageId,
  type PayeeId,
  type RequestHash,
  refusal,
  type TerminalId,
} from "@cairn/messages";
import {
  type AccountFunds,
  type CertificateState,
  type KnownPayment,
  type LedgerEntry,
  type PayeeWord,
  type SettlementItem,
  type SettlementOutcome,
  type SettlementResult,
  settle,
} from "@cairn/settle";

export const NOW = 1_800_000_000;
export const DAY = 86_400;
export const POLICY = { uploadDeadlineSeconds: 7 * DAY };
export const EUR = currency("EUR");
export const ACCOUNT = 7;

/** Identifiers of the right form, made from a number. */
const hex = (number: number, bytes: number): string => number.toString(16).padStart(bytes * 2, "0");
export const certificateId = (number: number): CertificateId => hex(number, 16) as CertificateId;
/** Message ids differ in their first bytes: the chain hash is made of those. */
export const messageId = (number: number): MessageId => hex(number, 8).padEnd(64, "0") as MessageId;
export const terminalId = (number: number): TerminalId => hex(number, 8) as TerminalId;
export const requestHash = (number: number): RequestHash => hex(number, 16) as RequestHash;
export const payeeId = (number: number): PayeeId => `SHOP-${number}` as PayeeId;
/** What the first payment of a certificate follows. */
export const ROOT_LINK: ChainHash = chainHashOf(messageId(0xffff_ffff));

export function aWord(changes: Partial<PayeeWord> = {}): PayeeWord {
  return {
    payeeId: payeeId(1),
    terminalId: terminalId(1),
    perCertificateCapMinor: 1_000_000n,
    maximumOfflineSeconds: 3 * DAY,
    acceptedAt: NOW,
    takenMinor: 1_000n,
    ...changes,
  };
}

/** A payment of 10.00, the first of its certificate, brought by a terminal. */
export function anItem(changes: Partial<SettlementItem> = {}): SettlementItem {
  const amountMinor = changes.amountMinor ?? 1_000n;
  return {
    inboxId: 1,
    paymentId: messageId(1),
    kind: "payment",
    certificateId: certificateId(1),
    sequence: 1,
    spentMinor: amountMinor,
    amountMinor,
    previous: ROOT_LINK,
    requestHash: undefined,
    receivedAt: NOW,
    broughtBy: "terminal",
    payeeWord: aWord({ takenMinor: amountMinor }),
    voided: false,
    refusal: undefined,
    ...changes,
  };
}

/** The payer's own copy: without the payee's word unless one is given. */
export function payersCopy(item: SettlementItem, changes: Partial<SettlementItem> = {}): SettlementItem {
  return { ...item, broughtBy: "payer", payeeWord: undefined, ...changes };
}

export const REFUSED = refusal("PAYMENT_CLOCK_DIFFERS");

/** Links made one after the other, as one honest device makes them. */
export function aChain(
  amounts: readonly bigint[],
  { certificate = 1, firstId = 1 }: { readonly certificate?: number; readonly firstId?: number } = {},
): SettlementItem[] {
  let spentMinor = 0n;
  let previous = ROOT_LINK;
  return amounts.map((amountMinor, index) => {
    spentMinor += amountMinor;
    const paymentId = messageId(firstId + index);
    const item = anItem({
      paymentId,
      certificateId: certificateId(certificate),
      sequence: index + 1,
      amountMinor,
      spentMinor,
      previous,
      requestHash: requestHash(firstId + index),
    });
    previous = chainHashOf(paymentId);
    return item;
  });
}

/** What a store does with results, without a disk: certificates, payments, funds and entries grow batch by batch. */
export class World {
  readonly entries: LedgerEntry[] = [];
  readonly voidedRequests = new Set<RequestHash>();
  readonly certificates = new Map<CertificateId, CertificateState>();
  readonly funds = new Map<number, AccountFunds>();

  constructor(
    input: { balanceMinor?: bigint; creditMinor?: bigint; certificates?: readonly Partial<CertificateState>[] } = {},
  ) {
    this.funds.set(ACCOUNT, {
      account: ACCOUNT,
      balanceMinor: input.balanceMinor ?? 100_000n,
      creditAvailableMinor: input.creditMinor ?? 0n,
    });
    for (const changes of input.certificates ?? [{}]) {
      const certificate: CertificateState = {
        certificateId: certificateId(1),
        account: ACCOUNT,
        currency: EUR,
        limitMinor: 50_000n,
        issuedAt: NOW - DAY,
        expiresAt: NOW + DAY,
        revokedAt: undefined,
        closing: undefined,
        conflict: undefined,
        payments: [],
        ...changes,
      };
      this.certificates.set(certificate.certificateId, certificate);
    }
  }

  settle(items: readonly SettlementItem[], now: number = NOW): SettlementResult {
    const result = settle(this, items, { now, policy: POLICY });
    this.#write(result);
    return result;
  }

  /** The outcome of one item alone. */
  one(item: SettlementItem, now: number = NOW): SettlementOutcome {
    const [outcome] = this.settle([item], now).outcomes;
    if (outcome === undefined) throw new Error("An item must have an outcome.");
    return outcome;
  }

  certificate(number = 1): CertificateState {
    const certificate = this.certificates.get(certificateId(number));
    if (certificate === undefined) throw new Error("There is no such certificate.");
    return certificate;
  }

  payment(number: number, certificate = 1): KnownPayment | undefined {
    return this.certificate(certificate).payments.find((payment) => payment.paymentId === messageId(number));
  }

  change(changes: Partial<CertificateState>, number = 1): void {
    this.certificates.set(certificateId(number), { ...this.certificate(number), ...changes });
  }

  /** Sum of a kind of ledger account; debit positive. */
  total(kind: "wallet" | "credit" | "clearing" | "loss-reserve"): bigint {
    return this.entries
      .flatMap((entry) => entry.postings)
      .filter((posting) => posting.ledgerAccount.kind === kind)
      .reduce((sum, posting) => sum + posting.minor, 0n);
  }

  #write(result: SettlementResult): void {
    this.entries.push(...result.entries);
    for (const { certificateId: id, payment } of result.payments) {
      const certificate = this.certificates.get(id);
      if (certificate === undefined) throw new Error("A payment of an unknown certificate.");
      const others = certificate.payments.filter((known) => known.paymentId !== payment.paymentId);
      this.certificates.set(id, { ...certificate, payments: [...others, payment] });
    }
    for (const { certificateId: id, paymentId, sideClaim } of result.sideClaims) {
      const certificate = this.certificates.get(id);
      if (certificate === undefined) throw new Error("A claim of an unknown certificate.");
      const payments = certificate.payments.map((known) =>
        known.paymentId === paymentId && !known.sideClaims.includes(sideClaim)
          ? { ...known, sideClaims: [...known.sideClaims, sideClaim] }
          : known,
      );
      this.certificates.set(id, { ...certificate, payments });
    }
    for (const conflict of result.conflicts) {
      const certificate = this.certificates.get(conflict.certificateId);
      if (certificate === undefined) throw new Error("A conflict of an unknown certificate.");
      const revokedAt = certificate.revokedAt ?? conflict.provenAt;
      this.certificates.set(conflict.certificateId, { ...certificate, conflict, revokedAt });
    }
    for (const { ledgerAccount, minor } of result.entries.flatMap((entry) => entry.postings)) {
      if (ledgerAccount.kind !== "wallet" && ledgerAccount.kind !== "credit") continue;
      const funds = this.funds.get(ledgerAccount.account);
      if (funds === undefined) throw new Error("A posting to an unknown account.");
      this.funds.set(
        ledgerAccount.account,
        ledgerAccount.kind === "wallet"
          ? { ...funds, balanceMinor: funds.balanceMinor - minor }
          : { ...funds, creditAvailableMinor: funds.creditAvailableMinor - minor },
      );
    }
  }
}
