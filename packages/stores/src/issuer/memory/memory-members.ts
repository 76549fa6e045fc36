import {
  type AccountNumber,
  accountNumber,
  afterRepayment,
  type CreditDue,
  duesAfterStatement,
  partitionOf,
} from "@cairn/issue";
import type { DeviceId, PayeeCertificateId, PayeeId, TerminalId } from "@cairn/messages";
import { topUpEntry, topUpReference } from "@cairn/settle";
import { decideEnrolment, type KeptEnrolmentCode } from "../enrolment-decision.ts";
import { partitionOfId } from "../partitions.ts";
import type {
  AccountRecord,
  DeviceRecord,
  EnrolmentCode,
  EnrolmentFailure,
  IssuerStore,
  NewAccount,
  PayeeRecord,
  TerminalRecord,
} from "../port.ts";
import { found, StoreError } from "../store-error.ts";
import type { MemoryBooks } from "./memory-books.ts";

type InputOf<Name extends keyof IssuerStore> = Parameters<IssuerStore[Name]>[0];
type Credit = Parameters<IssuerStore["setCredit"]>[1];
/** An account without what the books and the conflicts say of it. */
type KeptAccount = Omit<AccountRecord, "balanceMinor" | "credit" | "unresolvedConflicts"> & {
  readonly credit: Credit & { readonly dues: readonly CreditDue[] };
  /** When its last statement was closed, at first when it was opened. */
  readonly statementAt: number;
};
type KeptTerminal = TerminalRecord & { readonly certificateIssuedAt: number };

/** Accounts, devices, payees and terminals. */
export class MemoryMembers {
  readonly #books: MemoryBooks;
  readonly #unresolvedConflicts: (account: AccountNumber) => number;
  readonly #accounts = new Map<AccountNumber, KeptAccount>();
  readonly #devices = new Map<DeviceId, DeviceRecord>();
  readonly #terminals = new Map<TerminalId, KeptTerminal>();
  readonly #payees = new Map<PayeeId, PayeeRecord>();
  readonly #codes = new Map<string, KeptEnrolmentCode>();
  readonly #payeeCertificates = new Map<string, { readonly payeeId: PayeeId; readonly bytes: Uint8Array }>();
  /** Of all devices and terminals. */
  readonly #keyIds = new Set<string>();

  constructor(books: MemoryBooks, unresolvedConflicts: (account: AccountNumber) => number) {
    this.#books = books;
    this.#unresolvedConflicts = unresolvedConflicts;
  }

  createAccount({ name, currency, createdAt }: NewAccount): AccountNumber {
    const account = accountNumber(this.#accounts.size + 1);
    const credit = { lineMinor: 0n, overdueMinor: 0n, dues: [], scoreBand: "E", informedAt: createdAt } as const;
    const kept = { account, name, currency, status: "active", credit, createdAt, statementAt: createdAt } as const;
    this.#accounts.set(account, kept);
    return account;
  }

  account(account: AccountNumber): AccountRecord | undefined {
    const kept = this.#accounts.get(account);
    if (kept === undefined) return undefined;
    const { balanceMinor, creditUsedMinor } = this.#books.funds(kept.account, kept.currency);
    const unresolvedConflicts = this.#unresolvedConflicts(account);
    const { statementAt: _, ...record } = kept;
    return { ...record, balanceMinor, credit: { ...record.credit, usedMinor: creditUsedMinor }, unresolvedConflicts };
  }

  accounts(): AccountRecord[] {
    return [...this.#accounts.keys()].flatMap((account) => this.account(account) ?? []);
  }

  setAccountStatus(account: AccountNumber, status: AccountRecord["status"]): void {
    this.#accounts.set(account, { ...this.#kept(account), status });
  }

  setCredit(account: AccountNumber, { lineMinor, overdueMinor, scoreBand, informedAt }: Credit): void {
    if (lineMinor < 0n || overdueMinor < 0n)
      throw new StoreError("STORE_INPUT_INVALID", "A credit line and a debt are not below zero.");
    const kept = this.#kept(account);
    const credit = { ...kept.credit, lineMinor, overdueMinor, scoreBand, informedAt };
    this.#accounts.set(account, { ...kept, credit });
  }

  topUp({ account, amountMinor, idempotencyKey, at }: InputOf<"topUp">): "posted" | "repeated" | "key-reused" {
    const kept = this.#kept(account);
    if (amountMinor <= 0n) throw new StoreError("STORE_INPUT_INVALID", "A top-up must be more than zero.");
    const partition = partitionOf(account);
    const earlier = this.#books.find(partition, topUpReference(account, idempotencyKey));
    const cash = earlier?.postings.find(({ ledgerAccount }) => ledgerAccount.kind === "cash");
    if (cash !== undefined) return cash.minor === amountMinor ? "repeated" : "key-reused";
    const { currency } = kept;
    const { creditUsedMinor } = this.#books.funds(kept.account, kept.currency);
    this.#books.post(partition, [topUpEntry({ account, currency, amountMinor, creditUsedMinor, idempotencyKey, at })]);
    const repaidMinor = amountMinor < creditUsedMinor ? amountMinor : creditUsedMinor;
    this.repay(account, repaidMinor);
    return "posted";
  }

  /** Credit that was repaid: what is overdue of it is no longer. */
  repay(account: AccountNumber, minor: bigint): void {
    const kept = this.#kept(account);
    this.#accounts.set(account, { ...kept, credit: { ...kept.credit, ...afterRepayment(kept.credit, minor) } });
  }

  closeStatements({ at, everySeconds, dueAfterSeconds, limit }: InputOf<"closeStatements">) {
    let asked = 0;
    const closing = [...this.#accounts.values()].filter(({ statementAt }) => statementAt <= at - everySeconds);
    if (closing.length > limit) closing.length = limit;
    for (const kept of closing) {
      const { account } = kept;
      const { creditUsedMinor } = this.#books.funds(kept.account, kept.currency);
      const { dues: before } = kept.credit;
      const dues = duesAfterStatement({ dues: before, usedMinor: creditUsedMinor }, { at, dueAfterSeconds });
      if (dues.length > before.length) asked++;
      this.#accounts.set(account, { ...kept, statementAt: at, credit: { ...kept.credit, dues } });
    }
    return { closed: closing.length, asked };
  }

  createEnrolmentCode(code: EnrolmentCode): "created" | "exists" {
    if ("account" in code.for) this.#kept(code.for.account);
    else found(this.#payees.get(code.for.payeeId), "PAYEE_UNKNOWN", code.for.payeeId);
    if (this.#codes.has(code.codeHash)) return "exists";
    this.#codes.set(code.codeHash, { ...code, usedBy: undefined });
    return "created";
  }

  forgetExpiredCodes({ partition, before }: InputOf<"forgetExpiredCodes">): number {
    const expired = [...this.#codes.values()].filter(
      ({ codeHash, usedBy, expiresAt }) =>
        usedBy === undefined && expiresAt < before && partitionOfId(codeHash) === partition,
    );
    for (const { codeHash } of expired) this.#codes.delete(codeHash);
    return expired.length;
  }

  enrolDevice(input: InputOf<"enrolDevice">): DeviceRecord | EnrolmentFailure {
    const { codeHash, deviceId, publicKey, protection, label, at } = input;
    const code = this.#codes.get(codeHash);
    const decision = this.#decideEnrolment(code, "device", deviceId, at);
    if (decision === "enrol" && code !== undefined && "account" in code.for) {
      const { account, replacesDeviceId } = code.for;
      this.#devices.set(deviceId, {
        deviceId,
        account,
        publicKey: new Uint8Array(publicKey),
        protection,
        label,
        status: "active",
        replacesDeviceId,
        enrolledAt: at,
      });
      this.#keyIds.add(deviceId);
      this.#codes.set(codeHash, { ...code, usedBy: deviceId });
    }
    return decision === "enrol" || decision === "repeat"
      ? found(this.device(deviceId), "DEVICE_UNKNOWN", deviceId)
      : decision;
  }

  enrolTerminal(input: InputOf<"enrolTerminal">): TerminalRecord | EnrolmentFailure {
    const { codeHash, terminalId, publicKey, label, at } = input;
    const code = this.#codes.get(codeHash);
    const decision = this.#decideEnrolment(code, "terminal", terminalId, at);
    if (decision === "enrol" && code !== undefined && "payeeId" in code.for) {
      this.#terminals.set(terminalId, {
        terminalId,
        payeeId: code.for.payeeId,
        publicKey: new Uint8Array(publicKey),
        label,
        status: "active",
        enrolledAt: at,
        payeeCertificate: undefined,
        certificateIssuedAt: 0,
      });
      this.#keyIds.add(terminalId);
      this.#codes.set(codeHash, { ...code, usedBy: terminalId });
    }
    return decision === "enrol" || decision === "repeat"
      ? found(this.terminal(terminalId), "TERMINAL_UNKNOWN", terminalId)
      : decision;
  }

  device(deviceId: DeviceId): DeviceRecord | undefined {
    return this.#devices.get(deviceId);
  }

  devicesOf(account: AccountNumber): readonly DeviceRecord[] {
    return [...this.#devices.values()].filter((device) => device.account === account);
  }

  terminal(terminalId: TerminalId): TerminalRecord | undefined {
    const kept = this.#terminals.get(terminalId);
    if (kept === undefined) return undefined;
    const { certificateIssuedAt: _, ...terminal } = kept;
    return terminal;
  }

  terminalsOf(payeeId: PayeeId): readonly TerminalRecord[] {
    return [...this.#terminals.values()]
      .filter((terminal) => terminal.payeeId === payeeId)
      .map(({ certificateIssuedAt: _, ...terminal }) => terminal);
  }

  setDeviceStatus(deviceId: DeviceId, status: DeviceRecord["status"]): void {
    const device = found(this.#devices.get(deviceId), "DEVICE_UNKNOWN", deviceId);
    this.#devices.set(deviceId, { ...device, status });
  }

  setTerminalStatus(terminalId: TerminalId, status: TerminalRecord["status"]): void {
    const terminal = found(this.#terminals.get(terminalId), "TERMINAL_UNKNOWN", terminalId);
    this.#terminals.set(terminalId, { ...terminal, status });
  }

  createPayee(payee: PayeeRecord): "created" | "exists" {
    if (this.#payees.has(payee.payeeId)) return "exists";
    this.#payees.set(payee.payeeId, payee);
    return "created";
  }

  payee(payeeId: PayeeId): PayeeRecord | undefined {
    return this.#payees.get(payeeId);
  }

  payees(): PayeeRecord[] {
    return [...this.#payees.values()].sort((left, right) => (left.payeeId < right.payeeId ? -1 : 1));
  }

  recordPayeeCertificate(input: InputOf<"recordPayeeCertificate">): void {
    const { payeeCertificateId, terminalId, bytes, issuedAt } = input;
    const terminal = found(this.#terminals.get(terminalId), "TERMINAL_UNKNOWN", terminalId);
    if (this.#payeeCertificates.has(payeeCertificateId)) return;
    this.#payeeCertificates.set(payeeCertificateId, { payeeId: terminal.payeeId, bytes: new Uint8Array(bytes) });
    if (issuedAt < terminal.certificateIssuedAt) return;
    this.#terminals.set(terminalId, {
      ...terminal,
      payeeCertificate: new Uint8Array(bytes),
      certificateIssuedAt: issuedAt,
    });
  }

  payeeCertificate(payeeId: PayeeId, payeeCertificateId: PayeeCertificateId): Uint8Array | undefined {
    const kept = this.#payeeCertificates.get(payeeCertificateId);
    return kept?.payeeId === payeeId ? kept.bytes : undefined;
  }

  #decideEnrolment(
    code: KeptEnrolmentCode | undefined,
    kind: "device" | "terminal",
    keyId: DeviceId | TerminalId,
    at: number,
  ) {
    const keyIsKnown = this.#keyIds.has(keyId);
    return decideEnrolment({ code, kind, keyId, keyIsKnown, at });
  }

  #kept(account: AccountNumber): KeptAccount {
    return found(this.#accounts.get(account), "ACCOUNT_UNKNOWN", account);
  }
}
