import type { Partition } from "@cairn/issue";
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
import { bigints, hexadecimals } from "./binary-arrays.ts";
import { accountIn, currencyIn, id, minor, number, oneOf, optional, type Row } from "./rows.ts";
import type { Session } from "./session.ts";

/** What settlement looks at: loaded by two statements a batch, sent together, however many items it has. */

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
export const PAYMENT_COLUMNS = `p.certificate_id, p.payment_id, p.kind, p.sequence, p.spent_minor, p.amount_minor,
  p.previous, p.request_hash, p.state, p.code, p.payee_id, p.terminal_id, p.claimed_minor, p.taken_minor,
  p.funded_balance_minor, p.funded_credit_minor, p.funded_reserve_minor`;

type Loaded = Omit<SettlementState, "voidedRequests">;

/** @param isWhole With all payments of the items' certificates, not only those that the items touch. */
export function loadState(
  session: Session,
  partition: Partition,
  { items, isWhole }: { readonly items: readonly SettlementItem[]; readonly isWhole: boolean },
): Promise<Loaded> {
  const certificateIds = [...new Set(items.map((item) => item.certificateId))];
  return loadCertificates(session, partition, certificateIds, isWhole ? undefined : items);
}

/**
 * Certificates and what their accounts have.
 * @param touching Only payments that these items touch (`CertificateState.isBrief`). Left out: all.
 */
export async function loadCertificates(
  session: Session,
  partition: Partition,
  certificateIds: readonly CertificateId[],
  touching?: readonly SettlementItem[],
): Promise<Loaded> {
  const [paymentRows, certificateRows] = await Promise.all([
    touching === undefined
      ? session.all(
          `SELECT ${PAYMENT_COLUMNS} FROM payments p WHERE p.partition = $1 AND p.certificate_id = ANY($2::bytea[])`,
          partition,
          hexadecimals(certificateIds),
        )
      : touchedPayments(session, partition, touching),
    session.all(
      `SELECT c.certificate_id, c.account, a.currency, c.limit_minor, c.issued_at, c.expires_at, c.revoked_at,
          ${CLOSING_AND_CONFLICT}, coalesce(-w.minor, 0) AS balance_minor,
          greatest(0, a.credit_line_minor - coalesce(d.minor, 0)) AS credit_minor,
          (SELECT 1 FROM side_claims s WHERE s.partition = c.partition AND s.certificate_id = c.certificate_id LIMIT 1)
            AS side_claims
        FROM certificates c JOIN accounts a ON a.partition = c.partition AND a.account = c.account ${CERTIFICATE_JOINS}
        LEFT JOIN balances w
          ON w.partition = c.partition AND w.ledger_account = 'wallet:' || c.account AND w.currency = a.currency
        LEFT JOIN balances d
          ON d.partition = c.partition AND d.ledger_account = 'credit:' || c.account AND d.currency = a.currency
        WHERE c.partition = $1 AND c.certificate_id = ANY($2::bytea[])`,
      partition,
      hexadecimals(certificateIds),
    ),
  ]);
  const sideClaims = await loadSideClaims(session, partition, certificateRows);
  const payments = new Map<CertificateId, KnownPayment[]>();
  for (const row of paymentRows) {
    const certificateId = id<CertificateId>(row, "certificate_id");
    const payment = paymentFrom(row);
    const known = { ...payment, sideClaims: sideClaims.get(payment.paymentId) ?? [] };
    const others = payments.get(certificateId);
    if (others === undefined) payments.set(certificateId, [known]);
    else others.push(known);
  }
  const certificates = new Map<CertificateId, CertificateState>();
  const funds = new Map<number, AccountFunds>();
  for (const row of certificateRows) {
    const certificateId = id<CertificateId>(row, "certificate_id");
    const state = certificateStateFrom(row, payments.get(certificateId) ?? []);
    certificates.set(certificateId, { ...state, isBrief: touching !== undefined });
    const { account } = state;
    const [balanceMinor, creditAvailableMinor] = [minor(row, "balance_minor"), minor(row, "credit_minor")];
    funds.set(account, { account, balanceMinor, creditAvailableMinor });
  }
  return { certificates, funds };
}

/** Of the certificates that have any: hardly one has. */
async function loadSideClaims(
  session: Session,
  partition: Partition,
  certificateRows: readonly Row[],
): Promise<ReadonlyMap<MessageId, readonly SideClaim[]>> {
  const having = certificateRows.filter((row) => row.side_claims !== null);
  const sideClaims = new Map<MessageId, SideClaim[]>();
  if (having.length === 0) return sideClaims;
  const rows = await session.all(
    "SELECT * FROM side_claims WHERE partition = $1 AND certificate_id = ANY($2::bytea[])",
    partition,
    hexadecimals(having.map((row) => id<CertificateId>(row, "certificate_id"))),
  );
  for (const row of rows) {
    const paymentId = id<MessageId>(row, "payment_id");
    const others = sideClaims.get(paymentId);
    if (others === undefined) sideClaims.set(paymentId, [sideClaimFrom(row)]);
    else others.push(sideClaimFrom(row));
  }
  return sideClaims;
}

/**
 * From the lowest number of a certificate's items to the highest, the nearest before and after, and whatever was paid for
 * their requests, each from the index of their order, without a look at the others. A neighbour that was paid for one of
 * the requests comes twice, as one and the same payment.
 */
function touchedPayments(session: Session, partition: Partition, items: readonly SettlementItem[]): Promise<Row[]> {
  const byCertificate = [...Map.groupBy(items, (item) => item.certificateId)];
  const numbers = byCertificate.map(([, ofCertificate]) => ofCertificate.map(({ sequence }) => sequence));
  const ofCertificate = `SELECT ${PAYMENT_COLUMNS} FROM payments p
    WHERE p.partition = $1 AND p.certificate_id = n.certificate_id`;
  return session.all(
    `SELECT p.* FROM unnest($2::bytea[], $3::bigint[], $4::bigint[]) AS n (certificate_id, lowest, highest)
      CROSS JOIN LATERAL (
        (${ofCertificate} AND p.sequence < n.lowest ORDER BY p.sequence DESC FETCH FIRST ROW WITH TIES)
        UNION ALL (${ofCertificate} AND p.sequence > n.highest ORDER BY p.sequence FETCH FIRST ROW WITH TIES)
        UNION ALL ${ofCertificate} AND p.sequence BETWEEN n.lowest AND n.highest
        UNION ALL ${ofCertificate} AND p.request_hash = ANY($5::bytea[])
          AND NOT p.sequence BETWEEN n.lowest AND n.highest
      ) p`,
    partition,
    hexadecimals(byCertificate.map(([certificateId]) => certificateId)),
    bigints(numbers.map((each) => Math.min(...each))),
    bigints(numbers.map((each) => Math.max(...each))),
    hexadecimals(items.flatMap((item) => item.requestHash ?? [])),
  );
}

function certificateStateFrom(row: Row, payments: readonly KnownPayment[]): CertificateState {
  return {
    certificateId: id<CertificateId>(row, "certificate_id"),
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
    payments,
  };
}

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
