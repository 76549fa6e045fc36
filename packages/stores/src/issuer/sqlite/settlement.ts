import { accountNumber, type Partition } from "@cairn/issue";
import { type PaymentChange, SettleError, type SettlementOutcome, type SettlementResult } from "@cairn/settle";
import { partitionOfId } from "../partitions.ts";
import type { IssuerStore, RequestVoidRecord } from "../port.ts";
import { recordAnswers } from "../record-answers.ts";
import { found, StoreError } from "../store-error.ts";
import type { Books } from "./books.ts";
import type { Certificates } from "./certificates.ts";
import type { Database } from "./database.ts";
import type { Inbox } from "./inbox.ts";
import { PossibleVoids } from "./possible-voids.ts";
import { RowWriter } from "./row-writer.ts";
import type { SettlementMemory } from "./settlement-memory.ts";
import { loadState } from "./settlement-state.ts";

type SettleInput = Parameters<IssuerStore["settle"]>[0];

type PaymentPlace = {
  readonly partition: Partition;
  /** The certificate's status index. */
  readonly certificate: number;
  /** The entry that pays it; undefined when nothing is paid. */
  readonly entryId: number | undefined;
  readonly at: number;
};

/** A batch, within the caller's transaction: load, decide, write. */
export class Settlement {
  readonly #database: Database;
  readonly #books: Books;
  readonly #certificates: Certificates;
  readonly #inbox: Inbox;
  readonly #memory: SettlementMemory;
  readonly #possibleVoids: PossibleVoids;

  constructor(parts: {
    readonly database: Database;
    readonly books: Books;
    readonly certificates: Certificates;
    readonly inbox: Inbox;
    readonly memory: SettlementMemory;
  }) {
    this.#database = parts.database;
    this.#books = parts.books;
    this.#certificates = parts.certificates;
    this.#inbox = parts.inbox;
    this.#memory = parts.memory;
    this.#possibleVoids = new PossibleVoids(parts.database);
  }

  settle(input: SettleInput): readonly SettlementOutcome[] {
    const { partition, items, at } = input;
    const { state, certificateNumbers, result } = this.#decide(input);
    for (const { certificateId } of items)
      if (!state.certificates.has(certificateId) && this.#certificates.find(certificateId) !== undefined)
        throw new StoreError("STORE_INPUT_INVALID", `Certificate ${certificateId} is of another partition.`);
    const entryIds = this.#books.post(partition, result.entries);
    const ownRecords = new Set<number>();
    const added = new RowWriter(this.#database, "payments", 23);
    for (const change of result.payments) {
      const { certificateId, addedBy, entry } = change;
      if (addedBy !== undefined) ownRecords.add(addedBy.inboxId);
      const certificate = found(certificateNumbers.get(certificateId), "STORE_INPUT_INVALID", certificateId);
      const entryId = entry === undefined ? undefined : entryIds[entry];
      this.#writePayment(change, { partition, certificate, entryId, at }, added);
    }
    added.flush();
    this.#writeSideClaims(partition, result.sideClaims, at);
    this.#writeExposures(partition, result.exposures);
    for (const proof of result.conflicts) {
      const certificate = state.certificates.get(proof.certificateId);
      if (certificate !== undefined) this.#certificates.recordConflict(accountNumber(certificate.account), proof);
    }
    this.#inbox.answer(partition, recordAnswers(input, result.outcomes, ownRecords), at);
    this.#inbox.noteAnswered(input.records.length);
    this.#memory.apply(result);
    return result.outcomes;
  }

  /** With what the items need of their certificates' payments; when a conflict comes to light, with all of them. */
  #decide({
    partition,
    items,
    decide,
  }: SettleInput): ReturnType<typeof loadState> & { readonly result: SettlementResult } {
    const from = { items, memory: this.#memory, possibleVoids: this.#possibleVoids };
    const brief = loadState(this.#database, partition, { ...from, isWhole: false });
    try {
      return { ...brief, result: decide(brief.state, items) };
    } catch (error) {
      if (!(error instanceof SettleError) || error.code !== "HISTORY_MISSING") throw error;
    }
    const whole = loadState(this.#database, partition, { ...from, isWhole: true });
    return { ...whole, result: decide(whole.state, items) };
  }

  recordVoid({ requestHash, payeeId, terminalId, bytes, receivedAt }: RequestVoidRecord): "recorded" | "repeated" {
    this.#possibleVoids.add(requestHash);
    const written = this.#database.transaction(() =>
      this.#database.run(
        "INSERT INTO request_voids VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        partitionOfId(requestHash),
        requestHash,
        payeeId,
        terminalId,
        bytes,
        receivedAt,
      ),
    );
    return written === 1 ? "recorded" : "repeated";
  }

  releaseOverdue({ before, at }: { readonly before: number; readonly at: number }): number {
    this.#memory.clear();
    const pending = `FROM payments p JOIN certificates c ON c.status_index = p.certificate
      WHERE p.state = 'pending' AND
        (c.expires_at < ? OR p.request_hash IN (SELECT request_hash FROM request_voids))`;
    return this.#database.transaction(() => {
      this.#database.run(
        `UPDATE exposures SET released_minor = exposures.released_minor + o.minor
          FROM (SELECT c.partition, c.certificate_id, sum(p.amount_minor) AS minor ${pending} GROUP BY 1, 2) o
          WHERE exposures.partition = o.partition AND exposures.certificate_id = o.certificate_id`,
        before,
      );
      return this.#database.run(
        `UPDATE payments SET state = 'released', decided_at = ?, code =
            CASE WHEN request_hash IN (SELECT request_hash FROM request_voids) THEN 'REQUEST_VOIDED'
              ELSE 'NOT_UPLOADED_IN_TIME' END
          WHERE payment_number IN (SELECT p.payment_number ${pending})`,
        at,
        before,
      );
    });
  }

  /** @param added Writes those that were not known before. */
  #writePayment({ payment, addedBy }: PaymentChange, about: PaymentPlace, added: RowWriter): void {
    const { partition, certificate, entryId, at } = about;
    const { paymentId, state, code, claim, takenMinor, funding } = payment;
    const standing = [
      state,
      code ?? null,
      claim?.payeeId ?? null,
      claim?.terminalId ?? null,
      claim?.claimedMinor ?? null,
      takenMinor,
      funding?.balanceMinor ?? null,
      funding?.creditMinor ?? null,
      funding?.reserveMinor ?? null,
      entryId ?? null,
      at,
    ];
    if (addedBy === undefined) {
      this.#database.run(
        `UPDATE payments SET state = ?, code = ?, payee_id = ?, terminal_id = ?, claimed_minor = ?, taken_minor = ?,
            funded_balance_minor = ?, funded_credit_minor = ?, funded_reserve_minor = ?, entry_id = ?, decided_at = ?
          WHERE certificate = ? AND payment_id = ?`,
        ...standing,
        certificate,
        paymentId,
      );
      return;
    }
    added.add(
      // The next number behind all others.
      null,
      partition,
      certificate,
      addedBy.inboxId,
      paymentId,
      payment.kind,
      payment.sequence,
      payment.spentMinor,
      payment.amountMinor,
      payment.previous,
      payment.requestHash ?? null,
      ...standing,
      null,
    );
  }

  #writeSideClaims(partition: Partition, sideClaims: SettlementResult["sideClaims"], at: number): void {
    for (const { certificateId, paymentId, sideClaim } of sideClaims) {
      const { terminalId, claimedMinor, payeeId, state, code } = sideClaim;
      this.#database.run(
        "INSERT INTO side_claims VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        partition,
        certificateId,
        paymentId,
        terminalId,
        claimedMinor,
        payeeId,
        state,
        code,
        at,
      );
    }
  }

  #writeExposures(partition: Partition, exposures: SettlementResult["exposures"]): void {
    for (const { certificateId, settledMinor, releasedMinor } of exposures) {
      this.#database.run(
        `UPDATE exposures SET settled_minor = settled_minor + ?, released_minor = released_minor + ?
          WHERE partition = ? AND certificate_id = ?`,
        settledMinor,
        releasedMinor,
        partition,
        certificateId,
      );
    }
  }
}
