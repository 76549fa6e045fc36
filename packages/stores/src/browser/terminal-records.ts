import type { Acceptance, AcceptanceView, AcceptanceWrite, PaymentReference, RequestRecord } from "@cairn/collect";
import type { MessageId, PayeeCertificateId } from "@cairn/messages";
import type { IDBPTransaction } from "idb";
import { TerminalJournalError } from "../terminal/journal-error.ts";
import {
  acceptanceOf,
  acceptanceRow,
  heldMinor,
  type MarksRow,
  NO_MARKS,
  type RequestRow,
  requestRow,
  storedShare,
  type TerminalSchema,
} from "./terminal-database.ts";

export const ALL_STORES = [
  "marks",
  "setup",
  "payeeCertificates",
  "requests",
  "acceptances",
  "certificates",
  "refused",
] as const;

/** The terminal's records inside one transaction. */
export class TerminalRecords {
  readonly #transaction: IDBPTransaction<TerminalSchema, typeof ALL_STORES, "readwrite">;

  constructor(transaction: IDBPTransaction<TerminalSchema, typeof ALL_STORES, "readwrite">) {
    this.#transaction = transaction;
  }

  store<Name extends (typeof ALL_STORES)[number]>(name: Name) {
    return this.#transaction.objectStore(name);
  }

  async marks(): Promise<MarksRow> {
    return (await this.store("marks").get("only")) ?? NO_MARKS;
  }

  async changeMarks(change: (marks: MarksRow) => Partial<MarksRow>): Promise<void> {
    const marks = await this.marks();
    await this.store("marks").put({ ...marks, ...change(marks) }, "only");
  }

  async request(requestId: MessageId): Promise<RequestRecord | undefined> {
    const row = await this.store("requests").index("id").get(requestId);
    return row && this.requestFrom(row);
  }

  async requestFrom({ voidDue: _due, guestsTold: _told, ...row }: RequestRow): Promise<RequestRecord> {
    return { ...row, payeeCertificate: await this.payeeCertificate(row.payeeCertificateId) };
  }

  /** @throws TerminalJournalError JOURNAL_MISUSED */
  async payeeCertificate(id: PayeeCertificateId): Promise<Uint8Array> {
    const bytes = await this.store("payeeCertificates").get(id);
    if (bytes === undefined) throw misused(`no payee certificate ${id}`);
    return bytes;
  }

  async acceptance(paymentId: MessageId): Promise<Acceptance | undefined> {
    const row = await this.store("acceptances").index("id").get(paymentId);
    return row && acceptanceOf(row);
  }

  async view({ paymentId, certificateId, requestHash }: PaymentReference): Promise<AcceptanceView> {
    const requests = this.store("requests").index("hash");
    const request = requestHash === undefined ? undefined : await requests.get(requestHash);
    const ofCertificate = await this.store("certificates").get(certificateId);
    const refused = this.store("refused");
    return {
      earlier: await this.acceptance(paymentId),
      request: request && (await this.requestFrom(request)),
      newest: ofCertificate?.newest,
      acceptedOfCertificateMinor: ofCertificate?.acceptedMinor ?? 0n,
      stored: (await this.marks()).stored,
      refused: {
        isKept: (await refused.index("id").count(paymentId)) > 0,
        kept: await refused.count(),
        keptOfCertificate: await refused.index("certificate").count(certificateId),
      },
    };
  }

  async write(write: AcceptanceWrite): Promise<void> {
    await this.changeMarks(({ issuerTime }) => ({ issuerTime: Math.max(issuerTime, write.issuerTime) }));
    if (write.kind === "accept") await this.#accept(write.acceptance);
    if (write.kind === "keep-refused") await this.store("refused").add(write.refused);
    if (write.kind === "count-refused")
      await this.changeMarks(({ refusedNotKept }) => ({ refusedNotKept: refusedNotKept + 1 }));
  }

  async changeRequest(requestId: MessageId, change: (row: RequestRow) => Partial<RequestRow>): Promise<RequestRow> {
    const requests = this.store("requests");
    const [key, row] = await Promise.all([requests.index("id").getKey(requestId), requests.index("id").get(requestId)]);
    if (key === undefined || row === undefined) throw misused("no such request");
    const changed = requestRow({ ...row, ...change(row) });
    await requests.put(changed, key);
    return changed;
  }

  /** The sums move with the acceptance. Undefined when there is none. */
  async changeAcceptance(
    paymentId: MessageId,
    change: (acceptance: Acceptance) => Partial<Acceptance>,
  ): Promise<Acceptance | undefined> {
    const acceptances = this.store("acceptances");
    const byId = acceptances.index("id");
    const [key, row] = await Promise.all([byId.getKey(paymentId), byId.get(paymentId)]);
    if (key === undefined || row === undefined) return undefined;
    const before = acceptanceOf(row);
    const after: Acceptance = { ...before, ...change(before) };
    await acceptances.put(acceptanceRow(after), key);
    await this.#moveStored(before, after);
    const certificates = this.store("certificates");
    const sum = await certificates.get(after.certificateId);
    if (sum === undefined) throw misused("no sum of this certificate");
    const acceptedMinor = sum.acceptedMinor + heldMinor(after) - heldMinor(before);
    await certificates.put({ ...sum, acceptedMinor }, after.certificateId);
    return after;
  }

  async #accept(acceptance: Acceptance): Promise<void> {
    const { certificateId, requestId, paymentId, sequence, spentMinor, amountMinor } = acceptance;
    await this.payeeCertificate(acceptance.payeeCertificateId);
    if (requestId !== undefined) {
      await this.changeRequest(requestId, ({ paidBy, voidedAt }) => {
        if (paidBy !== undefined) throw misused("a request paid twice");
        if (voidedAt !== undefined) throw misused("a payment of a voided request");
        return { paidBy: paymentId };
      });
    }
    await this.store("acceptances").add(acceptanceRow(acceptance));
    const certificates = this.store("certificates");
    const before = await certificates.get(certificateId);
    const isNewest = before === undefined || before.newest.sequence < sequence;
    const newest = isNewest ? { sequence, spentMinor, amountMinor } : before.newest;
    const acceptedMinor = (before?.acceptedMinor ?? 0n) + heldMinor(acceptance);
    await certificates.put({ newest, acceptedMinor }, certificateId);
    await this.#moveStored(undefined, acceptance);
  }

  #moveStored(before: Acceptance | undefined, after: Acceptance): Promise<void> {
    const was = before === undefined ? { count: 0, totalMinor: 0n } : storedShare(before);
    const is = storedShare(after);
    return this.changeMarks(({ stored: { count, totalMinor } }) => ({
      stored: { count: count + is.count - was.count, totalMinor: totalMinor + is.totalMinor - was.totalMinor },
    }));
  }
}

export function misused(why: string): TerminalJournalError {
  return new TerminalJournalError("JOURNAL_MISUSED", `The journal was asked to write ${why}.`);
}
