import { CodedError, type CryptoPort } from "@cairn/cose";
import { decodeMessage, type MessageId, openPayment, payment, userCertificate } from "@cairn/messages";
import type { CertificateRecord, InboxRecord, IssuerStore, KeptPage, KeptPayment } from "@cairn/stores";
import { decodeRecord, decodingCaches, paymentIdOf } from "../settlement/decode-record.ts";
import { isRecordFault } from "../settlement/record-codes.ts";
import { recordHashOf } from "./intake.ts";

export type BooksAudit = {
  readonly entries: number;
  /** Records, payments and certificates whose columns were held against what was signed. */
  readonly records: number;
  readonly payments: number;
  readonly certificates: number;
  readonly faults: readonly string[];
};

/** Faults told; a database that has more of them is not to be mended row by row. */
const MAXIMUM_FAULTS = 1_000;
const CERTIFICATES_REMEMBERED = 5_000;

/**
 * The books by their own entries, chains and sums (`verifyBooks`), and beside them everything that decides about money:
 * each record by its hash, each payment and certificate by the signed message that it came from, and each claim that
 * was paid, or waits for a person, by a record that makes it: the chain alone can be worked out anew by whoever may
 * write, for it needs no key. Signatures are not verified again: whoever changes a signed message
 * changes its identity, by which entries and payments name it.
 */
export async function auditBooks(store: IssuerStore, crypto: CryptoPort): Promise<BooksAudit> {
  const { entries, faults: found } = await store.verifyBooks();
  const faults = [...found];
  const report = (fault: string): void => {
    if (faults.length < MAXIMUM_FAULTS) faults.push(fault);
  };
  const context = { crypto, decoding: decodingCaches(CERTIFICATES_REMEMBERED) };
  const claims = async (paymentId: MessageId): Promise<readonly Claim[]> =>
    (await store.evidence(paymentId)).map(({ bytes, broughtBy }) => decodeRecord(bytes, broughtBy, context));
  let [records, payments, certificates] = [0, 0, 0];
  for await (const record of pages((after) => store.keptRecords(after))) {
    records++;
    if (!isAsReceived(record, context)) report(`Record ${record.inboxId} of the inbox is not what was received.`);
  }
  for await (const kept of pages((after) => store.keptPayments(after))) {
    payments++;
    if (!isAsSigned(kept, crypto)) report(`Payment ${kept.paymentId} is not what its payer signed.`);
    if (kept.takenMinor > 0n && !(await claims(kept.paymentId)).some((claim) => isWhatWasPaid(claim, kept)))
      report(`Payment ${kept.paymentId} is paid to a payee, or with an amount, that no record names.`);
  }
  for (const { account } of await store.accounts())
    for (const certificate of await store.certificatesOf(account)) {
      certificates++;
      if (!isAsIssued(certificate, crypto))
        report(`Certificate ${certificate.certificateId} is not what the issuer signed.`);
    }
  for (const { paymentId, payeeId } of await store.heldPayments())
    if (!(await claims(paymentId)).some((claim) => payeeOf(claim) === payeeId))
      report(`Payment ${paymentId} is held for a payee that no record names.`);
  return { entries, records, payments, certificates, faults };
}

async function* pages<Kept>(read: (after: string | undefined) => Promise<KeptPage<Kept>>): AsyncGenerator<Kept> {
  for (let after: string | undefined; ; ) {
    const { kept, next } = await read(after);
    yield* kept;
    if (next === undefined) return;
    after = next;
  }
}

function isAsReceived(record: InboxRecord, context: Parameters<typeof decodeRecord>[2]): boolean {
  const { bytes, senderId, broughtBy, paymentId, recordHash } = record;
  if (recordHashOf(bytes, senderId, context.crypto) !== recordHash) return false;
  const decoded = decodeRecord(bytes, broughtBy, context);
  return paymentId === (isRecordFault(decoded) ? undefined : paymentIdOf(decoded));
}

function isAsSigned(kept: KeptPayment, crypto: CryptoPort): boolean {
  return holds(() => {
    const isOpen = kept.kind === "open-payment";
    const { messageId, unverified } = isOpen
      ? decodeMessage(openPayment, kept.bytes, crypto)
      : decodeMessage(payment, kept.bytes, crypto);
    return (
      messageId === kept.paymentId &&
      unverified.certificateId === kept.certificateId &&
      unverified.sequence === kept.sequence &&
      unverified.previous === kept.previous &&
      unverified.amountMinor === kept.amountMinor &&
      unverified.spentMinor === kept.spentMinor &&
      ("requestHash" in unverified ? unverified.requestHash : undefined) === kept.requestHash
    );
  });
}

/** One that was prepared and never signed says nothing yet. */
function isAsIssued(kept: CertificateRecord, crypto: CryptoPort): boolean {
  const { bytes } = kept;
  if (bytes === undefined) return true;
  return holds(() => {
    const { messageId, unverified } = decodeMessage(userCertificate, bytes, crypto);
    return (
      messageId === kept.messageId &&
      unverified.certificateId === kept.certificateId &&
      unverified.terms.limitMinor === kept.limitMinor &&
      unverified.terms.perPaymentCapMinor === kept.perPaymentCapMinor &&
      unverified.terms.statusIndex === kept.statusIndex &&
      unverified.issuedAt === kept.issuedAt &&
      unverified.expiresAt === kept.expiresAt
    );
  });
}

type Claim = ReturnType<typeof decodeRecord>;

function payeeOf(claim: Claim): string | undefined {
  return isRecordFault(claim) ? undefined : claim.payeeCertificate?.unverified.payeeId;
}

/** A payment is paid as it was signed, an open one as its payee took it, within what was signed. */
function isWhatWasPaid(record: Claim, { claim, takenMinor, amountMinor }: KeptPayment): boolean {
  if (isRecordFault(record) || record.kind === "void" || payeeOf(record) !== claim?.payeeId) return false;
  const word = record.kind === "payment" ? record.payment : record.word?.message;
  return word?.unverified.amountMinor === takenMinor && takenMinor <= amountMinor;
}

/** Bytes that cannot be read are not what was signed. */
function holds(compare: () => boolean): boolean {
  try {
    return compare();
  } catch (error) {
    if (error instanceof CodedError) return false;
    throw error;
  }
}
