import type { AccountNumber, Partition } from "@cairn/issue";
import type { CertificateId, ChainHash, MessageId, PayeeId, RequestHash, TerminalId } from "@cairn/messages";
import type {
  AccountFunds,
  CertificateState,
  Claim,
  ConflictKind,
  ConflictProof,
  Funding,
  KnownPayment,
  OutcomeCode,
  PaymentState,
  SettlementItem,
  SettlementState,
  SideClaim,
} from "@cairn/settle";
import type { Database, Row } from "./database.ts";
import type { PossibleVoids } from "./possible-voids.ts";
import { accountIn, currencyIn, id, minor, number, oneOf, optional } from "./rows.ts";
import type { LoadedCertificate, SettlementMemory } from "./settlement-memory.ts";

/** What settlement looks at, loaded by few statements a batch, however many items it has. */

const CONFLICT_KINDS: readonly ConflictKind[] = [
  "two-payments",
  "broken-chain",
  "payment-beyond-closing",
  "two-closings",
];
export const PAYMENT_STATES: readonly PaymentState[] = ["pending", "settled", "refused", "held", "released"];
export const PAYMENT_KINDS = ["payment", "open-payment"] as const;
const SIDE_STATES = ["refused", "held"] as const;

/** The closing that counts and the proven conflict beside a certificate `c`. */
export const CERTIFICATE_JOINS = `
  LEFT JOIN closings l ON l.partition = c.partition AND l.certificate_id = c.certificate_id AND l.counts = 1
  LEFT JOIN conflicts x ON x.partition = c.partition AND x.certificate_id = c.certificate_id`;
export const CLOSING_AND_CONFLICT = `
  l.sequence AS closing_sequence, l.spent_minor AS closing_spent_minor, l.message_id AS closing_message_id, l.closed_at,
  x.kind, x.first_id, x.second_id, x.proven_at`;
export const PAYMENT_COLUMNS = `p.certificate, p.payment_id, p.kind, p.sequence, p.spent_minor, p.amount_minor,
  p.previous, p.request_hash, p.state, p.code, p.payee_id, p.terminal_id, p.claimed_minor, p.taken_minor,
  p.funded_balance_minor, p.funded_credit_minor, p.funded_reserve_minor`;

/** @returns besides the state, the numbers of its certificates: their status indices. */
export function loadState(
  database: Database,
  partition: Partition,
  about: {
    readonly items: readonly SettlementItem[];
    readonly memory: SettlementMemory;
    readonly possibleVoids: PossibleVoids;
    readonly isWhole: boolean;
  },
): { readonly state: SettlementState; readonly certificateNumbers: ReadonlyMap<CertificateId, number> } {
  const { items, memory, possibleVoids, isWhole } = about;
  const certificates = new Map<CertificateId, CertificateState>();
  const certificateNumbers = new Map<CertificateId, number>();
  const accounts = new Set<number>();
  const take = ({ state, number: certificateNumber }: LoadedCertificate): void => {
    certificates.set(state.certificateId, state);
    certificateNumbers.set(state.certificateId, certificateNumber);
    accounts.add(state.account);
  };
  const unknown: CertificateId[] = [];
  for (const [certificateId, ofCertificate] of itemsByCertificate(items)) {
    const remembered = isWhole ? undefined : memory.get(certificateId);
    if (remembered === undefined) {
      unknown.push(certificateId);
      continue;
    }
    const wanted = remembered.wantedFor(ofCertificate);
    const loaded = wanted === undefined ? [] : loadPayments(database, { certificate: remembered.number, ...wanted });
    take({ number: remembered.number, state: remembered.stateWith(loaded) });
  }
  for (const loaded of unknown.length === 0 ? [] : loadCertificates(database, partition, unknown)) {
    memory.remember(loaded);
    take(loaded);
  }
  const funds = loadFunds(database, partition, [...accounts]);
  const voidedRequests = loadVoids(database, items, possibleVoids);
  return { state: { certificates, funds, voidedRequests }, certificateNumbers };
}

function itemsByCertificate(items: readonly SettlementItem[]): Map<CertificateId, SettlementItem[]> {
  const byCertificate = new Map<CertificateId, SettlementItem[]>();
  for (const item of items) {
    const others = byCertificate.get(item.certificateId);
    if (others === undefined) byCertificate.set(item.certificateId, [item]);
    else others.push(item);
  }
  return byCertificate;
}

/** Payments with a number from `from` to `to`, and the nearest ones before and after, with the claims beside them. */
function loadPayments(
  database: Database,
  { certificate, from, to }: { readonly certificate: number; readonly from: number; readonly to: number },
): readonly KnownPayment[] {
  const nearest = "sequence FROM payments WHERE certificate = ?1 AND sequence";
  const rows = database.all(
    `SELECT ${PAYMENT_COLUMNS}, c.partition, c.certificate_id FROM payments p
      JOIN certificates c ON c.status_index = p.certificate
      WHERE p.certificate = ?1
        AND p.sequence >= coalesce((SELECT ${nearest} < ?2 ORDER BY sequence DESC LIMIT 1), ?2)
        AND p.sequence <= coalesce((SELECT ${nearest} > ?3 ORDER BY sequence LIMIT 1), ?3)`,
    certificate,
    from,
    to,
  );
  const [first] = rows;
  if (first === undefined) return [];
  const wanted = JSON.stringify([id<CertificateId>(first, "certificate_id")]);
  const sideClaims = loadSideClaims(database, number(first, "partition"), wanted);
  return rows.map((row) => {
    const payment = paymentFrom(row);
    return { ...payment, sideClaims: sideClaims.get(payment.paymentId) ?? [] };
  });
}

export function loadCertificates(
  database: Database,
  partition: Partition,
  certificateIds: readonly CertificateId[],
): readonly LoadedCertificate[] {
  const wanted = JSON.stringify(certificateIds);
  const payments = new Map<number, KnownPayment[]>();
  const certificates: LoadedCertificate[] = [];
  for (const row of database.iterate(
    `SELECT c.certificate_id, c.status_index, c.account, a.currency, c.limit_minor, c.issued_at, c.expires_at, c.revoked_at,
        ${CLOSING_AND_CONFLICT}
      FROM certificates c JOIN accounts a ON a.partition = c.partition AND a.account = c.account ${CERTIFICATE_JOINS}
      WHERE c.partition = ? AND c.certificate_id IN (SELECT value FROM json_each(?))`,
    partition,
    wanted,
  )) {
    const certificateId = id<CertificateId>(row, "certificate_id");
    const certificateNumber = number(row, "status_index");
    const ofCertificate: KnownPayment[] = [];
    payments.set(certificateNumber, ofCertificate);
    const state: CertificateState = {
      certificateId,
      account: accountIn(row),
      currency: currencyIn(row),
      limitMinor: minor(row, "limit_minor"),
      issuedAt: number(row, "issued_at"),
      expiresAt: number(row, "expires_at"),
      revokedAt: optional(row, "revoked_at", number),
      closing:
        row.closed_at === null
          ? undefined
          : {
              sequence: number(row, "closing_sequence"),
              spentMinor: minor(row, "closing_spent_minor"),
              messageId: id<MessageId>(row, "closing_message_id"),
            },
      conflict: row.kind === null ? undefined : conflictFrom(row),
      payments: ofCertificate,
    };
    certificates.push({ number: certificateNumber, state });
  }
  const sideClaims = loadSideClaims(database, partition, wanted);
  for (const row of database.iterate(
    `SELECT ${PAYMENT_COLUMNS} FROM payments p WHERE p.certificate IN (SELECT value FROM json_each(?))`,
    JSON.stringify([...payments.keys()]),
  )) {
    const payment = paymentFrom(row);
    const known = { ...payment, sideClaims: sideClaims.get(payment.paymentId) ?? [] };
    payments.get(number(row, "certificate"))?.push(known);
  }
  return certificates;
}

function loadSideClaims(database: Database, partition: Partition, wanted: string): Map<MessageId, SideClaim[]> {
  const sideClaims = new Map<MessageId, SideClaim[]>();
  for (const row of database.iterate(
    "SELECT * FROM side_claims WHERE partition = ? AND certificate_id IN (SELECT value FROM json_each(?))",
    partition,
    wanted,
  )) {
    const paymentId = id<MessageId>(row, "payment_id");
    const others = sideClaims.get(paymentId);
    if (others === undefined) sideClaims.set(paymentId, [sideClaimFrom(row)]);
    else others.push(sideClaimFrom(row));
  }
  return sideClaims;
}

function loadFunds(database: Database, partition: Partition, accounts: readonly number[]): Map<number, AccountFunds> {
  const funds = new Map<number, AccountFunds>();
  for (const row of database.iterate(
    `SELECT a.account, coalesce(-w.minor, 0) AS balance_minor,
        max(0, a.credit_line_minor - coalesce(c.minor, 0)) AS credit_minor
      FROM accounts a
      LEFT JOIN balances w
        ON w.partition = a.partition AND w.ledger_account = 'wallet:' || a.account AND w.currency = a.currency
      LEFT JOIN balances c
        ON c.partition = a.partition AND c.ledger_account = 'credit:' || a.account AND c.currency = a.currency
      WHERE a.partition = ? AND a.account IN (SELECT value FROM json_each(?))`,
    partition,
    JSON.stringify(accounts),
  )) {
    const account: AccountNumber = accountIn(row);
    const balanceMinor = minor(row, "balance_minor");
    funds.set(account, { account, balanceMinor, creditAvailableMinor: minor(row, "credit_minor") });
  }
  return funds;
}

function loadVoids(
  database: Database,
  items: readonly SettlementItem[],
  possibleVoids: PossibleVoids,
): ReadonlySet<RequestHash> {
  const hashes: RequestHash[] = [];
  for (const { requestHash } of items)
    if (requestHash !== undefined && possibleVoids.includes(requestHash)) hashes.push(requestHash);
  if (hashes.length === 0) return NO_VOIDS;
  const voided = new Set<RequestHash>();
  for (const row of database.iterate(
    "SELECT request_hash FROM request_voids WHERE request_hash IN (SELECT value FROM json_each(?))",
    JSON.stringify(hashes),
  ))
    voided.add(id<RequestHash>(row, "request_hash"));
  return voided;
}

const NO_VOIDS: ReadonlySet<RequestHash> = new Set();

export function paymentFrom(row: Row): Omit<KnownPayment, "sideClaims"> {
  return {
    paymentId: id<MessageId>(row, "payment_id"),
    kind: oneOf(row, "kind", PAYMENT_KINDS),
    sequence: number(row, "sequence"),
    spentMinor: minor(row, "spent_minor"),
    amountMinor: minor(row, "amount_minor"),
    previous: id<ChainHash>(row, "previous"),
    requestHash: optional(row, "request_hash", id<RequestHash>),
    state: oneOf(row, "state", PAYMENT_STATES),
    code: optional(row, "code", id<OutcomeCode>),
    claim: row.terminal_id === null ? undefined : claimFrom(row),
    takenMinor: minor(row, "taken_minor"),
    funding: row.funded_balance_minor === null ? undefined : fundingFrom(row),
  };
}

export function sideClaimFrom(row: Row): SideClaim {
  return { ...claimFrom(row), state: oneOf(row, "state", SIDE_STATES), code: id<OutcomeCode>(row, "code") };
}

function claimFrom(row: Row): Claim {
  return {
    payeeId: id<PayeeId>(row, "payee_id"),
    terminalId: id<TerminalId>(row, "terminal_id"),
    claimedMinor: minor(row, "claimed_minor"),
  };
}

function fundingFrom(row: Row): Funding {
  return {
    balanceMinor: minor(row, "funded_balance_minor"),
    creditMinor: minor(row, "funded_credit_minor"),
    reserveMinor: minor(row, "funded_reserve_minor"),
  };
}

/** From any row that names its certificate and holds the columns of its conflict. */
export function conflictFrom(row: Row): ConflictProof {
  return {
    certificateId: id<CertificateId>(row, "certificate_id"),
    kind: oneOf(row, "kind", CONFLICT_KINDS),
    first: id<MessageId>(row, "first_id"),
    second: id<MessageId>(row, "second_id"),
    provenAt: number(row, "proven_at"),
  };
}
