import type { Partition } from "@cairn/issue";
import type { CertificateId, RequestHash } from "@cairn/messages";
import {
  type PaymentChange,
  SettleError,
  type SettlementOutcome,
  type SettlementResult,
  type SettlementState,
} from "@cairn/settle";
import { partitionOfId } from "../partitions.ts";
import type { IssuerStore, RequestVoidRecord } from "../port.ts";
import { recordAnswers } from "../record-answers.ts";
import { StoreError } from "../store-error.ts";
import { bigints, hexadecimals, smallints, texts } from "./binary-arrays.ts";
import { type Books, drawEntryIds } from "./books.ts";
import { recordConflict } from "./certificates.ts";
import type { Database } from "./database.ts";
import type { Inbox } from "./inbox.ts";
import type { Leases } from "./leases.ts";
import { id, minor, number, optional, text } from "./rows.ts";
import type { LockedPartition, Session } from "./session.ts";
import { loadState } from "./settlement-state.ts";

type SettleInput = Parameters<IssuerStore["settle"]>[0];

/** The one transaction of a batch: check the lease, load, decide, write. */
export class Settlement {
  readonly #database: Database;
  readonly #books: Books;
  readonly #inbox: Inbox;
  readonly #leases: Leases;
  /** Requests whose voids are about to be looked up. */
  #asked: { readonly hashes: RequestHash[]; readonly found: Promise<ReadonlySet<RequestHash>> } | undefined;

  constructor(parts: {
    readonly database: Database;
    readonly books: Books;
    readonly inbox: Inbox;
    readonly leases: Leases;
  }) {
    this.#database = parts.database;
    this.#books = parts.books;
    this.#inbox = parts.inbox;
    this.#leases = parts.leases;
  }

  async settle(input: SettleInput): Promise<readonly SettlementOutcome[]> {
    const { partition, items, decide, at } = input;
    const hasLease = input.withoutLease !== true;
    const certificateIds = [...new Set(items.map((item) => item.certificateId))];
    // Voids lie in other partitions. One that comes in after this look comes after the settlement.
    const voidedRequests = await this.#voided(items.flatMap((item) => item.requestHash ?? []));
    /** Undefined when a conflict came to light, of which any payment may be part. */
    const decideWith = (state: Omit<SettlementState, "voidedRequests">): SettlementResult | undefined => {
      try {
        return decide({ ...state, voidedRequests }, items);
      } catch (error) {
        if (error instanceof SettleError && error.code === "HISTORY_MISSING") return undefined;
        throw error;
      }
    };
    let token: number | undefined;
    const load = async (session: Session) => {
      const inboxIds = input.records.map(({ inboxId }) => inboxId);
      const [brief, waiting, drawn] = await Promise.all([
        loadState(session, partition, { items, isWhole: false }),
        this.#inbox.waitingUpTo(session, partition, inboxIds),
        // No item is paid by more than one entry.
        drawEntryIds(session, items.length),
      ]);
      return { brief, waiting, drawn };
    };
    const work = async (session: Session, locked: LockedPartition, loaded: Awaited<ReturnType<typeof load>>) => {
      const { brief, waiting, drawn } = loaded;
      if (hasLease) token = this.#leases.check(locked);
      await this.#requireNoneElsewhere(certificateIds.filter((each) => !brief.certificates.has(each)));
      const decided = decideWith(brief);
      const { certificates } = brief;
      const result =
        decided ??
        decide({ ...(await loadState(session, partition, { items, isWhole: true })), voidedRequests }, items);
      const entryIds = await this.#books.post(session, locked, result.entries, { endsLease: hasLease, drawn });
      addPayments(session, result.payments, { partition, entryIds, at });
      changePayments(session, result.payments, { partition, entryIds, at });
      writeSideClaims(session, partition, result.sideClaims, at);
      writeExposures(session, partition, result.exposures);
      for (const proof of result.conflicts) {
        const certificate = certificates.get(proof.certificateId);
        if (certificate !== undefined) await recordConflict(session, partition, certificate.account, proof);
      }
      const ownRecords = new Set(result.payments.flatMap(({ addedBy }) => addedBy?.inboxId ?? []));
      const beside = recordAnswers(input, result.outcomes, ownRecords);
      this.#inbox.markDone(session, beside, { partition, waiting, ownRecords, at });
      return result.outcomes;
    };
    const outcomes = await this.#database.inPartition(partition, work, load);
    if (hasLease) this.#leases.forget(partition, token);
    return outcomes;
  }

  recordVoid({
    requestHash,
    payeeId,
    terminalId,
    bytes,
    receivedAt,
  }: RequestVoidRecord): Promise<"recorded" | "repeated"> {
    const partition = partitionOfId(requestHash);
    return this.#database.inPartition(partition, async (session) => {
      const written = await session.run(
        `INSERT INTO request_voids (partition, request_hash, payee_id, terminal_id, bytes, received_at)
          VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
        partition,
        Buffer.from(requestHash, "hex"),
        payeeId,
        Buffer.from(terminalId, "hex"),
        Buffer.from(bytes),
        receivedAt,
      );
      return written === 1 ? "recorded" : "repeated";
    });
  }

  /** Partition by partition: each is released as a whole, and what a crash leaves is released the next time. */
  async releaseOverdue({ before, at }: { readonly before: number; readonly at: number }): Promise<number> {
    const rows = await this.#database.all("SELECT DISTINCT partition FROM payments WHERE state = 'pending' ORDER BY 1");
    let released = 0;
    for (const row of rows) released += await this.#releaseIn(number(row, "partition"), before, at);
    return released;
  }

  async #releaseIn(partition: Partition, before: number, at: number): Promise<number> {
    const pending = await this.#database.all(
      `SELECT p.inbox_id, p.request_hash, c.expires_at FROM payments p
        JOIN certificates c ON c.partition = p.partition AND c.certificate_id = p.certificate_id
        WHERE p.partition = $1 AND p.state = 'pending'`,
      partition,
    );
    const requestHashes = pending.flatMap((row) => optional(row, "request_hash", id<RequestHash>) ?? []);
    const voided = await this.#voided(requestHashes);
    const isVoided = (row: (typeof pending)[number]): boolean =>
      row.request_hash !== null && voided.has(id<RequestHash>(row, "request_hash"));
    const overdue = pending.filter((row) => isVoided(row) || minor(row, "expires_at") < BigInt(before));
    if (overdue.length === 0) return 0;
    return this.#database.inPartition(partition, (session) =>
      // Only what still is pending now that nobody else can settle it.
      session.run(
        `WITH released AS (
            UPDATE payments p SET state = 'released', decided_at = $2, code = n.code
              FROM unnest($3::bigint[], $4::text[]) AS n (inbox_id, code)
              WHERE p.partition = $1 AND p.inbox_id = n.inbox_id AND p.state = 'pending'
              RETURNING p.certificate_id, p.amount_minor
          ), exposed AS (
            UPDATE exposures x SET released_minor = x.released_minor + r.minor
              FROM (SELECT certificate_id, sum(amount_minor)::bigint AS minor FROM released GROUP BY 1) r
              WHERE x.partition = $1 AND x.certificate_id = r.certificate_id
          )
          SELECT 1 AS released FROM released`,
        partition,
        at,
        bigints(overdue.map((row) => number(row, "inbox_id"))),
        texts(overdue.map((row) => (isVoided(row) ? "REQUEST_VOIDED" : "NOT_UPLOADED_IN_TIME"))),
      ),
    );
  }

  /** Of these, and of what others ask in the same turn, those that were voided: batches of a round share one look. */
  async #voided(requestHashes: readonly RequestHash[]): Promise<ReadonlySet<RequestHash>> {
    if (requestHashes.length === 0) return new Set();
    if (this.#asked === undefined) {
      const hashes: RequestHash[] = [];
      const found = Promise.resolve().then(() => {
        this.#asked = undefined;
        return this.#findVoids(hashes);
      });
      this.#asked = { hashes, found };
    }
    const { hashes, found } = this.#asked;
    for (const requestHash of requestHashes) hashes.push(requestHash);
    return found;
  }

  async #findVoids(requestHashes: readonly RequestHash[]): Promise<ReadonlySet<RequestHash>> {
    const rows = await this.#database.all(
      `SELECT v.request_hash FROM unnest($1::smallint[], $2::bytea[]) AS n (partition, request_hash)
        JOIN request_voids v ON v.partition = n.partition AND v.request_hash = n.request_hash`,
      smallints(requestHashes.map(partitionOfId)),
      hexadecimals(requestHashes),
    );
    return new Set(rows.map((row) => id<RequestHash>(row, "request_hash")));
  }

  async #requireNoneElsewhere(certificateIds: readonly CertificateId[]): Promise<void> {
    if (certificateIds.length === 0) return;
    const row = await this.#database.get(
      "SELECT certificate_id FROM certificates WHERE certificate_id = ANY($1::bytea[]) LIMIT 1",
      hexadecimals(certificateIds),
    );
    if (row !== undefined)
      throw new StoreError(
        "STORE_INPUT_INVALID",
        `Certificate ${text(row, "certificate_id")} is of another partition.`,
      );
  }
}

type Place = {
  readonly partition: Partition;
  /** By the position of the entry. */
  readonly entryIds: readonly number[];
  readonly at: number;
};

function addPayments(session: Session, changes: readonly PaymentChange[], { partition, entryIds, at }: Place): void {
  const added = changes.flatMap(({ certificateId, payment, addedBy, entry }) =>
    addedBy === undefined ? [] : [{ certificateId, payment, entry, inboxId: addedBy.inboxId }],
  );
  if (added.length === 0) return;
  session.later(
    `INSERT INTO payments (partition, decided_at, certificate_id, payment_id, kind, sequence, spent_minor, amount_minor,
        previous, request_hash, state, code, payee_id, terminal_id, claimed_minor, taken_minor, funded_balance_minor,
        funded_credit_minor, funded_reserve_minor, entry_id, inbox_id)
      SELECT $1, $2, unnest($3::bytea[]), unnest($4::bytea[]), unnest($5::text[]), unnest($6::bigint[]),
        unnest($7::bigint[]), unnest($8::bigint[]), unnest($9::bytea[]), unnest($10::bytea[]), unnest($11::text[]),
        unnest($12::text[]), unnest($13::text[]), unnest($14::bytea[]), unnest($15::bigint[]), unnest($16::bigint[]),
        unnest($17::bigint[]), unnest($18::bigint[]), unnest($19::bigint[]), unnest($20::bigint[]), unnest($21::bigint[])`,
    partition,
    at,
    hexadecimals(added.map(({ certificateId }) => certificateId)),
    hexadecimals(added.map(({ payment }) => payment.paymentId)),
    texts(added.map(({ payment }) => payment.kind)),
    bigints(added.map(({ payment }) => payment.sequence)),
    bigints(added.map(({ payment }) => payment.spentMinor)),
    bigints(added.map(({ payment }) => payment.amountMinor)),
    hexadecimals(added.map(({ payment }) => payment.previous)),
    hexadecimals(added.map(({ payment }) => payment.requestHash)),
    ...standings(added, entryIds),
    bigints(added.map(({ inboxId }) => inboxId)),
  );
}

function changePayments(session: Session, changes: readonly PaymentChange[], { partition, entryIds, at }: Place): void {
  const changed = changes.filter(({ addedBy }) => addedBy === undefined);
  if (changed.length === 0) return;
  session.later(
    `UPDATE payments p SET decided_at = $2, state = n.state, code = n.code, payee_id = n.payee_id,
        terminal_id = n.terminal_id, claimed_minor = n.claimed_minor, taken_minor = n.taken_minor,
        funded_balance_minor = n.funded_balance_minor, funded_credit_minor = n.funded_credit_minor,
        funded_reserve_minor = n.funded_reserve_minor, entry_id = n.entry_id
      FROM unnest($3::bytea[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::bigint[], $9::bigint[], $10::bigint[],
        $11::bigint[], $12::bigint[], $13::bigint[], $14::bytea[]) AS n (payment_id, state, code, payee_id, terminal_id,
        claimed_minor, taken_minor, funded_balance_minor, funded_credit_minor, funded_reserve_minor,
        entry_id, certificate_id)
      WHERE p.partition = $1 AND p.certificate_id = n.certificate_id AND p.payment_id = n.payment_id`,
    partition,
    at,
    hexadecimals(changed.map(({ payment }) => payment.paymentId)),
    ...standings(changed, entryIds),
    hexadecimals(changed.map(({ certificateId }) => certificateId)),
  );
}

/** State, code, payee, terminal, claimed, taken, the three parts that it was paid from, and the entry that paid it. */
function standings(
  changes: readonly Pick<PaymentChange, "payment" | "entry">[],
  entryIds: readonly number[],
): Buffer[] {
  const payments = changes.map(({ payment }) => payment);
  return [
    texts(payments.map(({ state }) => state)),
    texts(payments.map(({ code }) => code)),
    texts(payments.map(({ claim }) => claim?.payeeId)),
    hexadecimals(payments.map(({ claim }) => claim?.terminalId)),
    bigints(payments.map(({ claim }) => claim?.claimedMinor)),
    bigints(payments.map(({ takenMinor }) => takenMinor)),
    bigints(payments.map(({ funding }) => funding?.balanceMinor)),
    bigints(payments.map(({ funding }) => funding?.creditMinor)),
    bigints(payments.map(({ funding }) => funding?.reserveMinor)),
    bigints(changes.map(({ entry }) => (entry === undefined ? undefined : entryIds[entry]))),
  ];
}

function writeSideClaims(
  session: Session,
  partition: Partition,
  sideClaims: SettlementResult["sideClaims"],
  at: number,
): void {
  if (sideClaims.length === 0) return;
  session.later(
    `INSERT INTO side_claims (partition, decided_at, certificate_id, payment_id, terminal_id, claimed_minor, payee_id,
        state, code)
      SELECT $1, $2, * FROM unnest($3::bytea[], $4::bytea[], $5::bytea[], $6::bigint[], $7::text[], $8::text[], $9::text[])`,
    partition,
    at,
    hexadecimals(sideClaims.map(({ certificateId }) => certificateId)),
    hexadecimals(sideClaims.map(({ paymentId }) => paymentId)),
    hexadecimals(sideClaims.map(({ sideClaim }) => sideClaim.terminalId)),
    bigints(sideClaims.map(({ sideClaim }) => sideClaim.claimedMinor)),
    texts(sideClaims.map(({ sideClaim }) => sideClaim.payeeId)),
    texts(sideClaims.map(({ sideClaim }) => sideClaim.state)),
    texts(sideClaims.map(({ sideClaim }) => sideClaim.code)),
  );
}

function writeExposures(session: Session, partition: Partition, exposures: SettlementResult["exposures"]): void {
  if (exposures.length === 0) return;
  session.later(
    `UPDATE exposures x SET settled_minor = x.settled_minor + n.settled_minor,
        released_minor = x.released_minor + n.released_minor
      FROM unnest($2::bytea[], $3::bigint[], $4::bigint[]) AS n (certificate_id, settled_minor, released_minor)
      WHERE x.partition = $1 AND x.certificate_id = n.certificate_id`,
    partition,
    hexadecimals(exposures.map(({ certificateId }) => certificateId)),
    bigints(exposures.map(({ settledMinor }) => settledMinor)),
    bigints(exposures.map(({ releasedMinor }) => releasedMinor)),
  );
}
