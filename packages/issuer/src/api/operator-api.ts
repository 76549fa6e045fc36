import { type TSchema, Type } from "@sinclair/typebox";
import { RecordReceipt } from "./device-api.ts";
import {
  AccountText,
  Bytes,
  CertificateIdText,
  CurrencyText,
  type Decoded,
  DeviceIdText,
  KeyIdText,
  MessageIdText,
  Minor,
  OrNull,
  PayeeIdText,
  PaymentIdText,
  Seconds,
  Sentence,
  SignedMinor,
  TerminalIdText,
  Time,
} from "./wire.ts";

/** The operator's calls under /v1/operator: what is sent and what is answered. */

const Status = Type.Union([Type.Literal("active"), Type.Literal("frozen")]);
const ScoreBandText = Type.Union([
  Type.Literal("A"),
  Type.Literal("B"),
  Type.Literal("C"),
  Type.Literal("D"),
  Type.Literal("E"),
]);
const Protection = Type.Union([Type.Literal(0), Type.Literal(1), Type.Literal(2), Type.Literal(3)]);
const Name = Type.String({ minLength: 1, maxLength: 40 });
const strict = { additionalProperties: false } as const;

// --- accounts
export const NewAccount = Type.Object({ name: Name, currency: CurrencyText }, strict);
export const Account = Type.Object({
  account: AccountText,
  name: Type.String(),
  status: Status,
  currency: CurrencyText,
  balanceMinor: Minor,
  creditLineMinor: Minor,
  creditUsedMinor: Minor,
  /** What should have been repaid by now. */
  overdueMinor: Minor,
  /** What statements asked to be repaid and was not yet, the oldest first. */
  dues: Type.Array(Type.Object({ dueAt: Time, minor: Minor })),
  scoreBand: ScoreBandText,
  creditInformedAt: Time,
  unresolvedConflicts: Type.Integer({ minimum: 0 }),
  createdAt: Time,
});
export type Account = Decoded<typeof Account>;

export const TopUp = Type.Object(
  { amountMinor: Minor, idempotencyKey: Type.String({ minLength: 1, maxLength: 64 }) },
  strict,
);
export const TopUpAnswer = Type.Object({ repeated: Type.Boolean(), account: Account });
export const Credit = Type.Object({ lineMinor: Minor, overdueMinor: Minor, scoreBand: ScoreBandText }, strict);
export type Credit = Decoded<typeof Credit>;
export const StatusChange = Type.Object({ status: Status }, strict);

// --- enrolment
export const NewDeviceCode = Type.Object(
  {
    validitySeconds: Type.Optional(Seconds),
    /** The device whose place the new one takes: a new telephone, a restored backup. */
    replacesDeviceId: Type.Optional(DeviceIdText),
  },
  strict,
);
export const NewEnrolmentCode = Type.Object({ validitySeconds: Type.Optional(Seconds) }, strict);
/** The only time that the code is told: the server keeps its hash. */
export const EnrolmentCodeAnswer = Type.Object({ code: Type.String(), expiresAt: Time });
export type EnrolmentCodeAnswer = Decoded<typeof EnrolmentCodeAnswer>;

export const Device = Type.Object({
  deviceId: DeviceIdText,
  account: AccountText,
  status: Status,
  protection: Protection,
  label: Type.String(),
  enrolledAt: Time,
});
export type Device = Decoded<typeof Device>;

export const Terminal = Type.Object({
  terminalId: TerminalIdText,
  payeeId: PayeeIdText,
  status: Status,
  label: Type.String(),
  enrolledAt: Time,
});
export type Terminal = Decoded<typeof Terminal>;

// --- payees
export const NewPayee = Type.Object(
  {
    payeeId: PayeeIdText,
    name: Name,
    currency: CurrencyText,
    perPaymentCapMinor: Type.Optional(Minor),
    storedTotalCapMinor: Type.Optional(Minor),
    perCertificateCapMinor: Type.Optional(Minor),
    maximumOfflineSeconds: Type.Optional(Seconds),
  },
  strict,
);
export const Payee = Type.Object({
  payeeId: PayeeIdText,
  name: Type.String(),
  currency: CurrencyText,
  perPaymentCapMinor: Minor,
  storedTotalCapMinor: Minor,
  perCertificateCapMinor: Minor,
  maximumOfflineSeconds: Seconds,
  createdAt: Time,
});
export type Payee = Decoded<typeof Payee>;

// --- certificates
export const Certificate = Type.Object({
  certificateId: CertificateIdText,
  account: AccountText,
  deviceId: DeviceIdText,
  serial: Type.Integer(),
  statusIndex: Type.Integer(),
  issuedAt: Time,
  expiresAt: Time,
  limitMinor: Minor,
  perPaymentCapMinor: Minor,
  settledMinor: Minor,
  releasedMinor: Minor,
  /** What may still be settled under it, and what of it is held on the balance. */
  exposureMinor: Minor,
  heldMinor: Minor,
  revokedAt: OrNull(Time),
  revocationReason: OrNull(Type.String()),
  closedAt: OrNull(Time),
  inConflict: Type.Boolean(),
  signed: Type.Boolean(),
  certificate: OrNull(Bytes),
  /** The issuing decision as it was stored before anything was signed. */
  explanation: Type.Unknown(),
});
export type Certificate = Decoded<typeof Certificate>;
export const Revocation = Type.Object({ reason: Type.String({ minLength: 1, maxLength: 200 }) }, strict);
export const RestorationAnswer = Type.Object({ repeated: Type.Boolean() });
export const CertificatesChanged = Type.Object({ certificates: Type.Integer({ minimum: 0 }) });
export const RevocationAnswer = Type.Object({ repeated: Type.Boolean() });

// --- payments and conflicts
const Funding = Type.Object({ balanceMinor: Minor, creditMinor: Minor, reserveMinor: Minor });
export const Payment = Type.Object({
  paymentId: PaymentIdText,
  certificateId: OrNull(CertificateIdText),
  account: OrNull(AccountText),
  payeeId: OrNull(PayeeIdText),
  terminalId: OrNull(TerminalIdText),
  state: Type.String(),
  code: OrNull(Type.String()),
  sentence: Sentence,
  amountMinor: Minor,
  takenMinor: Minor,
  currency: OrNull(CurrencyText),
  funding: OrNull(Funding),
  decidedAt: Time,
});
export type Payment = Decoded<typeof Payment>;

export const Evidence = Type.Object({
  /** Null when every record that named it was rejected. */
  payment: OrNull(Payment),
  records: Type.Array(
    Type.Object({
      /** Why the record could not become a payment; null when it was judged as one, or waits. */
      code: OrNull(Type.String()),
      sentence: OrNull(Sentence),
      decidedAt: OrNull(Time),
      broughtBy: Type.Union([Type.Literal("terminal"), Type.Literal("payer")]),
      senderId: Type.String(),
      receivedAt: Time,
      recordHash: Type.String(),
      bytes: Bytes,
    }),
  ),
});
export type Evidence = Decoded<typeof Evidence>;

export const Review = Type.Object(
  {
    decision: Type.Union([Type.Literal("release"), Type.Literal("reject")]),
    reason: Type.String({ minLength: 1, maxLength: 200 }),
  },
  strict,
);

export const Conflict = Type.Object({
  certificateId: CertificateIdText,
  account: AccountText,
  kind: Type.Union([
    Type.Literal("two-payments"),
    Type.Literal("broken-chain"),
    Type.Literal("payment-beyond-closing"),
    Type.Literal("two-closings"),
  ]),
  first: MessageIdText,
  second: MessageIdText,
  firstBytes: Bytes,
  secondBytes: Bytes,
  provenAt: Time,
  resolvedAt: OrNull(Time),
});
export type Conflict = Decoded<typeof Conflict>;
export const ResolutionAnswer = Type.Object({ resolved: Type.Integer() });

// --- books
/** Numbers in a query are text; nothing else than digits is taken for one. */
const DigitsText = (pattern: string) =>
  Type.Transform(Type.String({ pattern }))
    .Decode((text) => Number(text))
    .Encode((value) => value.toString());
export const EntriesQuery = Type.Object(
  {
    account: Type.Optional(DigitsText("^[1-9][0-9]{0,13}$")),
    payeeId: Type.Optional(PayeeIdText),
    after: Type.Optional(DigitsText("^[0-9]{1,15}$")),
    /** 1 to 1,000; 100 when left out. */
    limit: Type.Optional(DigitsText("^([1-9][0-9]{0,2}|1000)$")),
  },
  strict,
);
export const Entry = Type.Object({
  entryId: Type.Integer(),
  reference: Type.String(),
  kind: Type.String(),
  currency: CurrencyText,
  postedAt: Time,
  postings: Type.Array(Type.Object({ ledgerAccount: Type.String(), minor: SignedMinor })),
});
export type Entry = Decoded<typeof Entry>;
export const TrialBalanceLine = Type.Object({
  ledgerAccount: Type.String(),
  currency: CurrencyText,
  minor: SignedMinor,
});
export type TrialBalanceLine = Decoded<typeof TrialBalanceLine>;
/** The newest entry of a partition; `hash`: hexadecimal, over all entries of the partition up to this one. */
export const LedgerHead = Type.Object(
  {
    partition: Type.Integer({ minimum: 0, maximum: 255 }),
    entryId: Type.Integer({ minimum: 1 }),
    hash: Type.String({ pattern: "^[0-9a-f]{64}$" }),
  },
  strict,
);
export const LedgerHeads = Type.Object({ heads: Type.Array(LedgerHead, { maxItems: 256 }) }, strict);
export const BooksAnswer = Type.Object({
  entries: Type.Integer(),
  records: Type.Integer(),
  payments: Type.Integer(),
  certificates: Type.Integer(),
  closings: Type.Integer(),
  voids: Type.Integer(),
  /** Those that were verified and valid; null when none was looked at. */
  signatures: OrNull(Type.Integer()),
  /** Entries that settle no payment and bear the issuer's seal; null when that was not looked at. */
  sealed: OrNull(Type.Integer()),
  /** To be kept elsewhere, and expected of a later audit. */
  heads: Type.Array(LedgerHead),
  faults: Type.Array(Type.String()),
});
/** Told now and then while the books are read. */
export const AuditProgress = Type.Object({ line: Type.String() });
export const BooksQuery = Type.Object({ signatures: Type.Optional(Type.Literal("true")) }, strict);
export type BooksAnswer = Decoded<typeof BooksAnswer>;

// --- journals
/** Records of one call: as many as fit its bounded body. */
export const MAXIMUM_JOURNAL_RECORDS = 10;
export const JournalImport = Type.Object(
  { records: Type.Array(Bytes, { minItems: 1, maxItems: MAXIMUM_JOURNAL_RECORDS }) },
  strict,
);
export const JournalImportAnswer = Type.Object({ records: Type.Array(RecordReceipt) });

// --- backups
export const Backup = Type.Object({
  /** Where it lies, on the server's machine. */
  file: Type.String(),
  state: Type.Union([Type.Literal("running"), Type.Literal("done"), Type.Literal("failed")]),
});
export type Backup = Decoded<typeof Backup>;

// --- keys
export const IssuerKey = Type.Object({
  keyId: KeyIdText,
  validFrom: Time,
  validUntil: Time,
  signsFrom: Time,
  withdrawnAt: OrNull(Time),
  active: Type.Boolean(),
});
export type IssuerKey = Decoded<typeof IssuerKey>;
export const Keys = Type.Object({
  rootKeyId: KeyIdText,
  rootKey: Bytes,
  /** True: the root key is kept elsewhere, and trust lists are brought. */
  offlineRoot: Type.Boolean(),
  /** Null before the first list. */
  trustListVersion: OrNull(Type.Integer()),
  trustListExpiresAt: OrNull(Time),
  keys: Type.Array(IssuerKey),
});
export type Keys = Decoded<typeof Keys>;
/** How this issuer wants to stand in a trust list: what is carried to the offline root. */
export const KeyStatement = Type.Object({
  format: Type.Literal("cairn-issuer-keys-1"),
  issuerId: Type.String({ pattern: "^[a-z0-9-]{1,16}$" }),
  issuerName: Type.String({ minLength: 1, maxLength: 40 }),
  issuerUrl: Type.String({ maxLength: 200 }),
  keys: Type.Array(
    Type.Object({ key: Bytes, validFrom: Time, validUntil: Time, uses: Type.Integer({ minimum: 1, maximum: 7 }) }),
    { minItems: 1, maxItems: 64 },
  ),
});
export type KeyStatement = Decoded<typeof KeyStatement>;
/** Partitions that had entries when sealing began. */
export const SealingAnswer = Type.Object({ partitions: Type.Integer() });
export const BroughtTrustList = Type.Object({ trustList: Bytes }, strict);
export const Rotation = Type.Object({ overlapSeconds: Type.Optional(Seconds) }, strict);

export const listOf = <Schema extends TSchema>(schema: Schema) => Type.Object({ items: Type.Array(schema) });
