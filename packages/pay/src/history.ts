import {
  type Amount,
  amount,
  type CertificateId,
  type MessageId,
  type PayeeId,
  payeeCertificate,
  paymentRequest,
  receipt,
  refuseUserCertificate,
  restoreVerified,
  type UserCertificate,
} from "@cairn/messages";
import { roomOf } from "./choose-certificate.ts";
import type { WalletPorts } from "./ports.ts";
import { readWallet, type Wallet } from "./wallet.ts";
import type { PaymentOutcome, StoredPayment } from "./wallet-store.ts";

/** How far a payment has come: by the server's word when there is one, else by what the device knows. */
export type PaymentState = "prepared" | "shown" | "receipted" | PaymentOutcome["state"];

export type HistoryEntry = {
  readonly paymentId: MessageId;
  readonly kind: StoredPayment["kind"];
  readonly state: PaymentState;
  /** For an open payment the maximum. */
  readonly amount: Amount;
  /** What was taken, as far as the server or a receipt says; undefined when nobody has said yet. */
  readonly takenMinor: bigint | undefined;
  /** Undefined for an open payment without a receipt. */
  readonly payee: { readonly payeeId: PayeeId; readonly name: string } | undefined;
  readonly orderReference: string | undefined;
  readonly requestId: MessageId | undefined;
  readonly certificateId: CertificateId;
  readonly sequence: number;
  /** Seconds since 1970. */
  readonly preparedAt: number;
  readonly hasReceipt: boolean;
  /** The payee has promised never to accept it. */
  readonly voided: boolean;
  readonly outcome: PaymentOutcome | undefined;
};

/**
 * Every payment, newest first.
 * @throws PayError NOT_ENROLLED, WALLET_KEY_DIFFERS.
 */
export async function history(ports: WalletPorts): Promise<readonly HistoryEntry[]> {
  const wallet = await readWallet(ports, { kind: "all" });
  return wallet.payments.map((durable) => entryOf(durable, wallet, ports)).toReversed();
}

export function paymentState({ outcome, receipt: its, shown }: StoredPayment): PaymentState {
  // A payment that the server only has in its hands has come no further than its receipt says.
  if (outcome !== undefined && !(outcome.state === "pending" && its !== undefined)) return outcome.state;
  if (its !== undefined) return "receipted";
  return shown ? "shown" : "prepared";
}

function entryOf(durable: StoredPayment, wallet: Wallet, { crypto }: WalletPorts): HistoryEntry {
  const { outcome } = durable;
  const payee = durable.payeeCertificate && restoreVerified(payeeCertificate, durable.payeeCertificate, crypto).content;
  const request = durable.request && restoreVerified(paymentRequest, durable.request, crypto).content;
  const its = durable.receipt && restoreVerified(receipt, durable.receipt, crypto).content;
  const { paymentId, kind, requestId, certificateId, sequence, preparedAt } = durable;
  return {
    paymentId,
    kind,
    state: paymentState(durable),
    amount: amount(durable.amountMinor, wallet.identity.currency),
    takenMinor: outcome !== undefined && outcome.state !== "pending" ? outcome.takenMinor : its?.amountMinor,
    payee: payee && { payeeId: payee.payeeId, name: payee.terms.name },
    orderReference: request?.orderReference,
    requestId,
    certificateId,
    sequence,
    preparedAt,
    hasReceipt: its !== undefined,
    voided: durable.requestVoid !== undefined,
    outcome,
  };
}

export type HoldingState = "usable" | "expired" | "closed" | "revoked";
export type Holding = {
  readonly certificate: UserCertificate;
  readonly state: HoldingState;
  readonly spentMinor: bigint;
  readonly remainingMinor: bigint;
};

export type WalletStatus = {
  readonly issuerId: string;
  readonly issuerName: string;
  readonly currency: Amount["currency"];
  /** The time that the wallet goes by, seconds since 1970. */
  readonly now: number;
  readonly holdings: readonly Holding[];
};

/**
 * Who this wallet is and what it can pay with.
 * @throws PayError NOT_ENROLLED, WALLET_KEY_DIFFERS.
 */
export async function walletStatus(ports: WalletPorts): Promise<WalletStatus> {
  const { identity, held, now } = await readWallet(ports, { kind: "none" });
  const { issuerId, issuerName, currency } = identity;
  const holdings = held.map((each): Holding => {
    const { certificate, counter } = each;
    return { certificate, state: stateOf(each, now), spentMinor: counter.spentMinor, remainingMinor: roomOf(each) };
  });
  return { issuerId, issuerName, currency, now, holdings };
}

function stateOf({ certificate, closed, revoked }: Wallet["held"][number], now: number): HoldingState {
  if (closed) return "closed";
  if (revoked) return "revoked";
  // One that is not valid yet is not among them: the wallet's time is never before that of a certificate it took home.
  return refuseUserCertificate(certificate, now) === undefined ? "usable" : "expired";
}
