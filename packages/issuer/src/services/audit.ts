import { CodedError, type CryptoPort } from "@cairn/cose";
import {
  type Closing,
  closing,
  type Decoded,
  decodeMessage,
  type KeyId,
  type MessageId,
  openPayment,
  payment,
  requestHashOf,
  terminalIdOf,
  type UserCertificate,
  userCertificate,
} from "@cairn/messages";
import type {
  CertificateRecord,
  InboxRecord,
  IssuerStore,
  KeptClosing,
  KeptPage,
  KeptPayment,
  LedgerHead,
  RequestVoidRecord,
} from "@cairn/stores";
import { type DecodedVoid, decodeRecord, decodingCaches, paymentIdOf } from "../settlement/decode-record.ts";
import { isRecordFault } from "../settlement/record-codes.ts";
import {
  type Claim,
  isGood,
  isSignedByItsPayee,
  isSignedByItsPayer,
  isWhatWasPaid,
  isWhatWasSigned,
  payeeOf,
} from "./audit-claims.ts";
import { SealAudit, type SealsForAudit } from "./audit-seals.ts";
import { type KeysForAudit, SignatureAudit } from "./audit-signatures.ts";
import { recordHashOf } from "./intake.ts";

export type BooksAudit = {
  readonly entries: number;
  /** What was held against the signed messages that it came from. */
  readonly records: number;
  readonly payments: number;
  readonly certificates: number;
  readonly closings: number;
  readonly voids: number;
  /** Signatures that were verified and valid; undefined when none was looked at. */
  readonly signatures: number | undefined;
  /** Entries that settle no payment and bear the issuer's seal; undefined when seals were not looked at. */
  readonly sealed: number | undefined;
  /** The newest entry of each partition, to be kept elsewhere and expected of a later audit. */
  readonly heads: readonly LedgerHead[];
  readonly faults: readonly string[];
};

export type AuditOptions = {
  /** Verify signatures too, under these keys. Left out: none is looked at. */
  readonly keys?: KeysForAudit | undefined;
  /** The seals of entries that settle no payment. Left out: they are not looked at. */
  readonly seals?: SealsForAudit | undefined;
  /** The newest entries of an earlier audit, which must be there still: whoever may write can cut off the newest ones. */
  readonly expected?: readonly LedgerHead[] | undefined;
  /** Told now and then how far it is. */
  readonly progress?: ((line: string) => void) | undefined;
  /** Ends it between two pages. */
  readonly signal?: AbortSignal | undefined;
};

/** Faults told; a database that has more of them is not to be mended row by row. */
const MAXIMUM_FAULTS = 1_000;
const CERTIFICATES_REMEMBERED = 20_000;
const PROGRESS_EVERY = 100_000;

/**
 * The books by their own entries, chains and sums (`verifyBooks`), and beside them everything that decides about money:
 * each record by its hash, each payment, certificate, closing and void by the signed message that it came from, and each
 * claim that was paid, or waits for a person, by a record that makes it: the chain alone can be worked out anew by whoever
 * may write, for it needs no key. Whoever changes a signed message changes its identity, by which entries and payments
 * name it; whole messages that were made up are found by their signatures, when those are asked for. Holds a page at a
 * time, whatever there is. Decision: docs/decisions/0063-an-audit-reads-the-messages.md.
 */
export async function auditBooks(
  store: IssuerStore,
  crypto: CryptoPort,
  { keys, seals, expected = [], progress = () => undefined, signal }: AuditOptions = {},
): Promise<BooksAudit> {
  const { entries, faults: found } = await store.verifyBooks({ progress, signal });
  const faults = [...found];
  const report = (fault: string): void => {
    if (faults.length < MAXIMUM_FAULTS) faults.push(fault);
  };
  const signatures = keys === undefined ? undefined : new SignatureAudit(keys, crypto);
  const audit = new MessageAudit({ store, crypto, signatures, report });
  async function each<Kept>(
    what: string,
    read: (after: string | undefined) => Promise<KeptPage<Kept>>,
    look: (kept: readonly Kept[]) => Promise<void>,
  ): Promise<number> {
    let count = 0;
    for (let after: string | undefined; ; ) {
      const { kept, next } = await read(after);
      await look(kept);
      signal?.throwIfAborted();
      const told = Math.floor(count / PROGRESS_EVERY);
      count += kept.length;
      if (Math.floor(count / PROGRESS_EVERY) > told) progress(`${count} ${what} read...`);
      if (next === undefined) return count;
      after = next;
    }
  }
  progress(`${entries} entries read...`);
  const sealAudit = seals === undefined ? undefined : new SealAudit(seals, report);
  if (sealAudit !== undefined) {
    sealAudit.beginnings(await store.missingHeads(sealAudit.from));
    await each("movements", store.keptMovements.bind(store), async (kept) => sealAudit.movements(kept));
  }
  for (const head of await store.missingHeads(expected)) report(missingHeadFault(head));
  const records = await each("records", store.keptRecords.bind(store), (kept) => audit.records(kept));
  const certificates = await each("certificates", store.keptCertificates.bind(store), (kept) =>
    audit.certificates(kept),
  );
  const closings = await each("closings", store.keptClosings.bind(store), (kept) => audit.closings(kept));
  const voids = await each("voids", store.keptVoids.bind(store), (kept) => audit.voids(kept));
  const payments = await each("payments", store.keptPayments.bind(store), (kept) => audit.payments(kept));
  await audit.held();
  await audit.conflicts();
  audit.unknownKeys();
  const read = { entries, records, payments, certificates, closings, voids };
  const heads = await store.ledgerHeads();
  return { ...read, signatures: signatures?.verified, sealed: sealAudit?.sealed, heads, faults };
}

export const missingHeadFault = ({ partition, entryId }: LedgerHead): string =>
  `Entry ${entryId}, the newest of partition ${partition} in an earlier audit, is not what it was, or was cut off.`;

/** Holds rows against the messages that they came from, some at a time. */
class MessageAudit {
  readonly #store: IssuerStore;
  readonly #crypto: CryptoPort;
  readonly #signatures: SignatureAudit | undefined;
  readonly #report: (fault: string) => void;
  readonly #context: Parameters<typeof decodeRecord>[2];
  /** Of certificates that were found to be what was issued, as they are remembered when decoded. */
  readonly #issued = new WeakSet<Decoded<UserCertificate>>();
  /** How much each key signed that no trust list names. */
  readonly #unknownKeys = new Map<KeyId, number>();

  constructor(parts: {
    readonly store: IssuerStore;
    readonly crypto: CryptoPort;
    readonly signatures: SignatureAudit | undefined;
    readonly report: (fault: string) => void;
  }) {
    this.#store = parts.store;
    this.#crypto = parts.crypto;
    this.#signatures = parts.signatures;
    this.#report = parts.report;
    this.#context = { crypto: parts.crypto, decoding: decodingCaches(CERTIFICATES_REMEMBERED) };
  }

  async records(kept: readonly InboxRecord[]): Promise<void> {
    for (const record of kept)
      if (!this.#isAsReceived(record)) this.#report(`Record ${record.inboxId} of the inbox is not what was received.`);
  }

  /** One that was prepared and never signed says nothing yet. */
  async certificates(kept: readonly CertificateRecord[]): Promise<void> {
    const read = kept.flatMap((certificate) => {
      const { bytes } = certificate;
      if (bytes === undefined) return [];
      const decoded = readable(() => decodeMessage(userCertificate, bytes, this.#crypto));
      if (decoded !== undefined && isAsIssued(certificate, decoded)) return [{ certificate, decoded }];
      this.#report(`Certificate ${certificate.certificateId} is not what the issuer signed.`);
      return [];
    });
    const areIssued = await this.#signatures?.areIssued(read.map(({ decoded }) => decoded));
    for (const [index, { certificate }] of read.entries())
      if (areIssued?.[index] === false && !this.#isOfUnknownKey(read[index]?.decoded))
        this.#report(`Certificate ${certificate.certificateId} bears no valid signature of the issuer.`);
  }

  async closings(kept: readonly KeptClosing[]): Promise<void> {
    const read = kept.flatMap((each) => {
      const { certificateId, certificate } = each;
      const message = readable(() => decodeMessage(closing, each.bytes, this.#crypto));
      if (message !== undefined && certificate !== undefined && isAsClosed(each, message))
        return [{ certificateId, certificate, message }];
      this.#report(`A closing of certificate ${certificateId} is not what its device signed.`);
      return [];
    });
    const areSigned = await this.#signatures?.areSignedByDevice(read);
    for (const [index, { certificateId }] of read.entries())
      if (areSigned?.[index] === false)
        this.#report(`A closing of certificate ${certificateId} bears no valid signature of its device.`);
  }

  async voids(kept: readonly RequestVoidRecord[]): Promise<void> {
    const read = kept.flatMap((each) => {
      const { requestHash, terminalId } = each;
      const decoded = decodeRecord(each.bytes, "terminal", this.#context);
      // A key that is no point of the curve has no name.
      if (!isRecordFault(decoded) && decoded.kind === "void" && readable(() => isAsVoided(each, decoded, this.#crypto)))
        return [{ requestHash, senderId: terminalId, decoded }];
      this.#report(`The void of request ${requestHash} is not what its payee signed.`);
      return [];
    });
    const checked = await this.#signatures?.check(read);
    for (const [index, { requestHash, decoded }] of read.entries()) {
      const looked = checked?.[index];
      if (looked?.kind !== "void" || (isGood(looked.payeeCertificate) && isGood(looked.requestVoid))) continue;
      if (!this.#isOfUnknownKey(decoded.payeeCertificate))
        this.#report(`The void of request ${requestHash} bears no valid signature of its payee.`);
    }
  }

  async payments(kept: readonly KeptPayment[]): Promise<void> {
    // Nearly every one is borne out by the record that it was first known from.
    const doubtful = await this.#doubtful(
      kept,
      kept.flatMap(({ record }) => record ?? []),
    );
    if (doubtful.length === 0) return;
    const records = await this.#store.recordsNaming(doubtful.map(({ payment: { paymentId } }) => paymentId));
    for (const {
      payment: { paymentId },
      claims,
      fault,
    } of await this.#doubtful(
      doubtful.map((each) => each.payment),
      records,
    )) {
      const isUnsaid = claims.some(
        ({ decoded: { certificate, payeeCertificate } }) =>
          this.#isOfUnknownKey(certificate) || this.#isOfUnknownKey(payeeCertificate),
      );
      if (!(isUnsaid && SIGNATURE_FAULTS.has(fault))) this.#report(`Payment ${paymentId} ${fault}`);
    }
  }

  async held(): Promise<void> {
    const held = await this.#store.heldPayments();
    const claims = await this.#claims(await this.#store.recordsNaming(held.map(({ paymentId }) => paymentId)));
    for (const { paymentId, payeeId } of held) {
      const ofPayee = claims.get(paymentId)?.filter((claim) => payeeOf(claim) === payeeId) ?? [];
      if (ofPayee.length === 0) this.#report(`Payment ${paymentId} is held for a payee that no record names.`);
      else if (
        this.#signatures !== undefined &&
        !ofPayee.some(isSignedByItsPayee) &&
        !ofPayee.some(({ decoded }) => this.#isOfUnknownKey(decoded.payeeCertificate))
      )
        this.#report(`Payment ${paymentId} is held for a payee that did not sign for it.`);
    }
  }

  /** One line for each, whatever it signed. */
  unknownKeys(): void {
    for (const [keyId, count] of this.#unknownKeys)
      this.#report(
        `Signatures that cannot be verified, ${count} of them, are by key ${keyId}, which is in no trust list that was given.`,
      );
  }

  #isOfUnknownKey(certificate: Decoded<{ readonly issuerKeyId: KeyId }> | undefined): boolean {
    const keyId = certificate && this.#signatures?.unknownKey(certificate);
    if (keyId !== undefined) this.#unknownKeys.set(keyId, (this.#unknownKeys.get(keyId) ?? 0) + 1);
    return keyId !== undefined;
  }

  /** What accuses a device must be signed by it. */
  async conflicts(): Promise<void> {
    if (this.#signatures === undefined) return;
    for (const { certificateId, firstBytes, secondBytes } of await this.#store.conflicts()) {
      const certificate = (await this.#store.certificate(certificateId))?.bytes;
      const read = [firstBytes, secondBytes].flatMap((bytes) => this.#byDevice(bytes) ?? []);
      const areSigned =
        certificate === undefined
          ? []
          : await this.#signatures.areSignedByDevice(read.map((message) => ({ message, certificate })));
      if (areSigned.length !== 2 || areSigned.includes(false))
        this.#report(`What proves a conflict of certificate ${certificateId} bears no valid signatures of its device.`);
    }
  }

  #isAsReceived({ bytes, senderId, broughtBy, paymentId, recordHash }: InboxRecord): boolean {
    if (recordHashOf(bytes, senderId, this.#crypto) !== recordHash) return false;
    const decoded = decodeRecord(bytes, broughtBy, this.#context);
    return paymentId === (isRecordFault(decoded) ? undefined : paymentIdOf(decoded));
  }

  /** Those that the records do not bear out, each with what is wrong with it. */
  async #doubtful(
    kept: readonly KeptPayment[],
    records: readonly InboxRecord[],
  ): Promise<readonly { readonly payment: KeptPayment; readonly claims: readonly Claim[]; readonly fault: string }[]> {
    const claims = await this.#claims(records);
    return kept.flatMap((each) => {
      const ofPayment = claims.get(each.paymentId) ?? [];
      const fault = faultOf(each, ofPayment, this.#signatures !== undefined);
      return fault === undefined ? [] : [{ payment: each, claims: ofPayment, fault }];
    });
  }

  async #claims(records: readonly InboxRecord[]): Promise<ReadonlyMap<MessageId, readonly Claim[]>> {
    const read = records.flatMap((record) => {
      const decoded = decodeRecord(record.bytes, record.broughtBy, this.#context);
      return isRecordFault(decoded) || decoded.kind === "void" ? [] : [{ record, senderId: record.senderId, decoded }];
    });
    const checked = await this.#signatures?.check(read);
    await this.#lookUpIssued(read);
    const claims = read.map(({ record, decoded }, index) => ({
      record,
      decoded,
      isOfIssued: this.#issued.has(decoded.certificate),
      checked: checked?.[index],
    }));
    return Map.groupBy(claims, ({ decoded }) => decoded.payment.messageId);
  }

  /** A signature shows that somebody had a key of the issuer: what it issued under an id it has itself. */
  async #lookUpIssued(
    read: readonly {
      readonly record: InboxRecord;
      readonly decoded: { readonly certificate: Decoded<UserCertificate> };
    }[],
  ): Promise<void> {
    const asked = read.filter(({ decoded }) => !this.#issued.has(decoded.certificate));
    for (const [partition, some] of Map.groupBy(asked, ({ record }) => record.partition)) {
      const ids = new Set(some.map(({ decoded }) => decoded.certificate.unverified.certificateId));
      const issued = await this.#store.certificateMessages(partition, [...ids]);
      for (const { certificate } of some.map(({ decoded }) => decoded))
        if (issued.get(certificate.unverified.certificateId) === certificate.messageId) this.#issued.add(certificate);
    }
  }

  #byDevice(bytes: Uint8Array): Decoded<unknown> | undefined {
    for (const kind of [payment, openPayment, closing]) {
      const message = readable(() => decodeMessage<unknown>(kind as typeof closing, bytes, this.#crypto));
      if (message !== undefined) return message;
    }
    return undefined;
  }
}

function faultOf(kept: KeptPayment, claims: readonly Claim[], withSignatures: boolean): string | undefined {
  const asSigned = claims.filter((claim) => isWhatWasSigned(claim, kept));
  if (asSigned.length === 0) return "is not what its payer signed.";
  const isPaid = kept.takenMinor > 0n;
  const paying = isPaid ? asSigned.filter((claim) => isWhatWasPaid(claim, kept)) : asSigned;
  if (isPaid && paying.length === 0) return "is paid to a payee, or with an amount, that no record names.";
  const issued = paying.filter(({ isOfIssued }) => isOfIssued);
  if (isPaid && issued.length === 0) return "is paid under a certificate that is not the one that was issued.";
  if (!withSignatures) return undefined;
  const signed = issued.filter(isSignedByItsPayer);
  if (signed.length === 0) return UNSIGNED;
  if (isPaid && !signed.some(isSignedByItsPayee)) return UNSIGNED_BY_PAYEE;
  return undefined;
}

const UNSIGNED = "bears no valid signature of a device that the issuer certified.";
const UNSIGNED_BY_PAYEE = "is paid to a payee that did not sign for it.";
/** What cannot be said where a key is not known. */
const SIGNATURE_FAULTS: ReadonlySet<string> = new Set([UNSIGNED, UNSIGNED_BY_PAYEE]);

function isAsIssued(kept: CertificateRecord, { messageId, unverified }: Decoded<UserCertificate>): boolean {
  return (
    messageId === kept.messageId &&
    unverified.certificateId === kept.certificateId &&
    unverified.terms.limitMinor === kept.limitMinor &&
    unverified.terms.perPaymentCapMinor === kept.perPaymentCapMinor &&
    unverified.terms.statusIndex === kept.statusIndex &&
    unverified.issuedAt === kept.issuedAt &&
    unverified.expiresAt === kept.expiresAt
  );
}

function isAsClosed(kept: KeptClosing, { messageId, unverified }: Decoded<Closing>): boolean {
  return (
    messageId === kept.messageId &&
    unverified.certificateId === kept.certificateId &&
    unverified.sequence === kept.sequence &&
    unverified.spentMinor === kept.spentMinor
  );
}

function isAsVoided(kept: RequestVoidRecord, decoded: DecodedVoid, crypto: CryptoPort): boolean {
  const { request, requestVoid, payeeCertificate } = decoded;
  const { payeeId, payeeCertificateId, terminalKey } = payeeCertificate.unverified;
  return (
    requestHashOf(request.messageId) === kept.requestHash &&
    requestVoid.unverified.requestId === request.messageId &&
    request.unverified.payeeCertificateId === payeeCertificateId &&
    payeeId === kept.payeeId &&
    terminalIdOf(terminalKey, crypto) === kept.terminalId
  );
}

/** Undefined for bytes that cannot be read, which are not what was signed. */
function readable<Read>(read: () => Read): Read | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}
