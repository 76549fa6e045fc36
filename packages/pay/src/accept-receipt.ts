import { publicKeysEqual } from "@cairn/cose";
import {
  decodeMessage,
  type MessageId,
  openPayment,
  type PayeeCertificate,
  payeeCertificate,
  type Receipt,
  type Refusal,
  receipt,
  refusal,
  refuseCapturedPayment,
  refusePayeeCertificate,
  restoreVerified,
  sameBytes,
  type Verified,
} from "@cairn/messages";
import { type Refused, refused, refusedFor } from "./codes.ts";
import { anchorsOf, type CodeInput, readPayeeCode } from "./payee-code.ts";
import type { WalletPorts } from "./ports.ts";
import { commitWallet, readWallet, type Wallet } from "./wallet.ts";
import type { Decision, StoredPayment } from "./wallet-store.ts";

/** The payee's word that it took the payment, kept as proof. */
export type ReceiptAccepted = {
  readonly kind: "receipted";
  readonly paymentId: MessageId;
  readonly payeeName: string;
  readonly takenMinor: bigint;
};

/**
 * Keeps a receipt. In this order: trust list, strict decoding, payee certificate, receipt signature; the payment is
 * ours (PAYMENT_UNKNOWN); it is the payee of the request and its amount, or for an open payment a payee that may
 * capture it and at most the maximum (the rules for captures); no other receipt was kept (RECEIPT_MISMATCH). The same
 * receipt again, signed again or not, is answered alike.
 * @throws PayError NOT_ENROLLED, WALLET_KEY_DIFFERS.
 */
export async function acceptReceipt(ports: WalletPorts, code: CodeInput): Promise<ReceiptAccepted | Refused> {
  const trust = anchorsOf(await readWallet(ports, { kind: "none" }), ports.crypto);
  if (trust.kind === "refused") return trust;
  const by = { anchors: trust.anchors, crypto: ports.crypto };
  const read = await readPayeeCode(code, { type: "receipt", kind: receipt }, by);
  if (read.kind === "refused") return read;
  const { paymentId } = read.message.content;
  return await commitWallet(ports, { kind: "ids", paymentIds: [paymentId] }, (wallet) =>
    decideOnWallet(wallet, { receipt: read.message, payee: read.payeeCertificate }, ports),
  );
}

type Offered = { readonly receipt: Verified<Receipt>; readonly payee: Verified<PayeeCertificate> };

function decideOnWallet(wallet: Wallet, offered: Offered, ports: WalletPorts): Decision<ReceiptAccepted | Refused> {
  const [durable] = wallet.payments;
  if (durable === undefined) return { result: refused("PAYMENT_UNKNOWN"), writes: [] };
  const reason = refuseReceipt(wallet, durable, offered, ports) ?? refuseSecondReceipt(durable, offered, ports);
  if (reason !== undefined) return { result: refusedFor(reason), writes: [] };
  const { paymentId } = durable;
  const result: ReceiptAccepted = {
    kind: "receipted",
    paymentId,
    payeeName: offered.payee.content.terms.name,
    takenMinor: offered.receipt.content.amountMinor,
  };
  if (durable.receipt !== undefined) return { result, writes: [] };
  const bytes = { receipt: offered.receipt.bytes, payeeCertificate: offered.payee.bytes };
  return { result, writes: [{ kind: "receipt", paymentId, ...bytes }] };
}

function refuseReceipt(
  wallet: Wallet,
  durable: StoredPayment,
  { receipt: offered, payee }: Offered,
  { crypto }: WalletPorts,
): Refusal | undefined {
  if (durable.kind === "payment") {
    if (!isSameTill(durable, payee.content, crypto)) return refusal("RECEIPT_MISMATCH", "of another payee");
    if (offered.content.amountMinor !== durable.amountMinor) return refusal("RECEIPT_MISMATCH", "another amount");
    return refusePayeeCertificate(payee.content, offered.content.issuedAt);
  }
  const its = wallet.held.find(({ certificate }) => certificate.certificateId === durable.certificateId);
  if (its === undefined) throw new TypeError("A payment has lost its certificate.");
  return refuseCapturedPayment({
    certificate: its.certificate,
    payment: decodeMessage(openPayment, durable.draft, crypto).unverified,
    paymentId: durable.paymentId,
    payeeCertificate: payee.content,
    capture: offered.content,
  });
}

/** The till that asked; its certificate may have been renewed since. */
export function isSameTill(durable: StoredPayment, payee: PayeeCertificate, crypto: WalletPorts["crypto"]): boolean {
  if (durable.payeeCertificate === undefined) return false;
  const asked = restoreVerified(payeeCertificate, durable.payeeCertificate, crypto).content;
  return asked.payeeId === payee.payeeId && publicKeysEqual(asked.terminalKey, payee.terminalKey);
}

/** Two receipts that differ contradict each other; the first is the proof. For an open payment a second till may have one, too. */
function refuseSecondReceipt(durable: StoredPayment, offered: Offered, { crypto }: WalletPorts): Refusal | undefined {
  if (durable.receipt === undefined || sameBytes(durable.receipt, offered.receipt.bytes)) return undefined;
  const kept = restoreVerified(receipt, durable.receipt, crypto);
  const isSame =
    kept.content.amountMinor === offered.receipt.content.amountMinor &&
    isSameTill(durable, offered.payee.content, crypto);
  return isSame ? undefined : refusal("RECEIPT_MISMATCH", "another receipt is kept");
}
