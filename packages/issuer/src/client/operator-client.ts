import type { CertificateId, Currency, DeviceId, KeyId, MessageId, PayeeId, TerminalId } from "@cairn/messages";
import { type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { RecordReceipt } from "../api/device-api.ts";
import * as api from "../api/operator-api.ts";
import { base64url, type Decoded, type Encoded, Minor } from "../api/wire.ts";
import { Transport } from "./transport.ts";
import { type AuditOptions, verifyBooks } from "./verify-books.ts";

export type OperatorClientOptions = { readonly url: string; readonly token: string; readonly timeoutMs?: number };
type AccountStatus = "active" | "frozen";
export type NewPayeeInput = Decoded<typeof api.NewPayee>;

const minor = (value: bigint): string => Value.Encode(Minor, value);

/** What the operator asks of the server. Amounts are minor units. All methods throw `ClientError`. */
export class OperatorClient {
  readonly #transport: Transport;

  constructor(options: OperatorClientOptions) {
    this.#transport = new Transport(options);
  }

  // --- accounts
  createAccount(input: { readonly name: string; readonly currency: Currency }): Promise<api.Account> {
    return this.#send("POST", "/accounts", api.Account, api.NewAccount, input);
  }

  async accounts(): Promise<readonly api.Account[]> {
    return (await this.#get("/accounts", api.listOf(api.Account))).items;
  }

  account(account: number): Promise<api.Account> {
    return this.#get(`/accounts/${account}`, api.Account);
  }

  /** Posts money to an account, once for each idempotency key: repeat it after a lost answer. */
  topUp(account: number, input: { readonly amountMinor: bigint; readonly idempotencyKey: string }) {
    const body = { amountMinor: minor(input.amountMinor), idempotencyKey: input.idempotencyKey };
    return this.#send("POST", `/accounts/${account}/top-ups`, api.TopUpAnswer, api.TopUp, body);
  }

  setCredit(account: number, credit: api.Credit): Promise<api.Account> {
    const body = {
      lineMinor: minor(credit.lineMinor),
      overdueMinor: minor(credit.overdueMinor),
      scoreBand: credit.scoreBand,
    };
    return this.#send("PUT", `/accounts/${account}/credit`, api.Account, api.Credit, body);
  }

  setAccountStatus(account: number, status: AccountStatus): Promise<api.Account> {
    return this.#send("PUT", `/accounts/${account}/status`, api.Account, api.StatusChange, { status });
  }

  /** A one-time code for one device of the account; `replacesDeviceId` says whose place it takes. */
  createDeviceCode(
    account: number,
    options: { readonly validitySeconds?: number; readonly replacesDeviceId?: DeviceId } = {},
  ): Promise<api.EnrolmentCodeAnswer> {
    const path = `/accounts/${account}/enrolment-codes`;
    return this.#send("POST", path, api.EnrolmentCodeAnswer, api.NewDeviceCode, options);
  }

  async certificates(account: number): Promise<readonly api.Certificate[]> {
    return (await this.#get(`/accounts/${account}/certificates`, api.listOf(api.Certificate))).items;
  }

  /** Marks the account's conflicts as looked at and settled with the payer: its offline right returns. */
  async resolveConflicts(account: number): Promise<number> {
    const path = `/accounts/${account}/conflicts/resolve`;
    return (await this.#send("POST", path, api.ResolutionAnswer, Type.Object({}), {})).resolved;
  }

  // --- devices and terminals
  device(deviceId: DeviceId): Promise<api.Device> {
    return this.#get(`/devices/${deviceId}`, api.Device);
  }

  setDeviceStatus(deviceId: DeviceId, status: AccountStatus): Promise<api.Device> {
    return this.#send("PUT", `/devices/${deviceId}/status`, api.Device, api.StatusChange, { status });
  }

  terminal(terminalId: TerminalId): Promise<api.Terminal> {
    return this.#get(`/terminals/${terminalId}`, api.Terminal);
  }

  /** Every terminal of the payee, in the order of enrolment. */
  async terminals(payeeId: PayeeId): Promise<readonly api.Terminal[]> {
    return (await this.#get(`/payees/${payeeId}/terminals`, api.listOf(api.Terminal))).items;
  }

  setTerminalStatus(terminalId: TerminalId, status: AccountStatus): Promise<api.Terminal> {
    return this.#send("PUT", `/terminals/${terminalId}/status`, api.Terminal, api.StatusChange, { status });
  }

  // --- payees
  /** Ceilings left out take the server's defaults. */
  createPayee(input: NewPayeeInput): Promise<api.Payee> {
    const { perPaymentCapMinor, storedTotalCapMinor, perCertificateCapMinor, ...rest } = input;
    const body = {
      ...rest,
      ...(perPaymentCapMinor === undefined ? {} : { perPaymentCapMinor: minor(perPaymentCapMinor) }),
      ...(storedTotalCapMinor === undefined ? {} : { storedTotalCapMinor: minor(storedTotalCapMinor) }),
      ...(perCertificateCapMinor === undefined ? {} : { perCertificateCapMinor: minor(perCertificateCapMinor) }),
    };
    return this.#send("POST", "/payees", api.Payee, api.NewPayee, body);
  }

  async payees(): Promise<readonly api.Payee[]> {
    return (await this.#get("/payees", api.listOf(api.Payee))).items;
  }

  payee(payeeId: PayeeId): Promise<api.Payee> {
    return this.#get(`/payees/${payeeId}`, api.Payee);
  }

  /** A one-time code for one terminal of the payee. */
  createTerminalCode(payeeId: PayeeId, options: { readonly validitySeconds?: number } = {}) {
    const path = `/payees/${payeeId}/enrolment-codes`;
    return this.#send("POST", path, api.EnrolmentCodeAnswer, api.NewEnrolmentCode, options);
  }

  // --- certificates, payments, conflicts
  async revoke(certificateId: CertificateId, reason: string): Promise<{ readonly repeated: boolean }> {
    const path = `/certificates/${certificateId}/revocation`;
    return this.#send("POST", path, api.RevocationAnswer, api.Revocation, { reason });
  }

  /** Takes a mistaken revocation back. */
  async restore(certificateId: CertificateId): Promise<{ readonly repeated: boolean }> {
    const path = `/certificates/${certificateId}/restoration`;
    return this.#send("POST", path, api.RestorationAnswer, Type.Object({}), {});
  }

  /** Blocks a device and withdraws its certificates. Gives how many. */
  async reportLoss(deviceId: DeviceId): Promise<number> {
    const path = `/devices/${deviceId}/loss`;
    return (await this.#send("POST", path, api.CertificatesChanged, Type.Object({}), {})).certificates;
  }

  /** Takes a loss back: the device may call again, and what the loss withdrew is good again. Gives how many. */
  async reportFound(deviceId: DeviceId): Promise<number> {
    const path = `/devices/${deviceId}/recovery`;
    return (await this.#send("POST", path, api.CertificatesChanged, Type.Object({}), {})).certificates;
  }

  async conflicts(): Promise<readonly api.Conflict[]> {
    return (await this.#get("/conflicts", api.listOf(api.Conflict))).items;
  }

  async heldPayments(): Promise<readonly api.Payment[]> {
    return (await this.#get("/held-payments", api.listOf(api.Payment))).items;
  }

  /** Releases a held payment to its payee, or rejects it. Final; the same again changes nothing. */
  review(paymentId: MessageId, review: Decoded<typeof api.Review>): Promise<api.Payment> {
    return this.#send("POST", `/payments/${paymentId}/review`, api.Payment, api.Review, review);
  }

  /** A payment's outcome with every record that brought it, byte for byte. */
  evidence(paymentId: MessageId): Promise<api.Evidence> {
    return this.#get(`/payments/${paymentId}/evidence`, api.Evidence);
  }

  // --- books
  async entries(filter: Decoded<typeof api.EntriesQuery> = {}): Promise<readonly api.Entry[]> {
    const query = Object.fromEntries(Object.entries(filter).map(([name, value]) => [name, value?.toString()]));
    return (await this.#transport.json({ method: "GET", path: "/v1/operator/entries", query }, api.listOf(api.Entry)))
      .items;
  }

  async trialBalance(): Promise<readonly api.TrialBalanceLine[]> {
    return (await this.#get("/trial-balance", api.listOf(api.TrialBalanceLine))).items;
  }

  /** Recomputes the books, and verifies signatures when asked to. Sound when `faults` is empty. */
  verifyBooks(options: AuditOptions = {}): Promise<api.BooksAnswer> {
    return verifyBooks(this.#transport, options);
  }

  /** Which of the newest entries that an earlier audit told are not there any more. */
  async missingHeads(heads: api.BooksAnswer["heads"]): Promise<api.BooksAnswer["heads"]> {
    return (await this.#send("POST", "/books/missing-heads", api.LedgerHeads, api.LedgerHeads, { heads })).heads;
  }

  // --- journals
  /** Brings records out of a terminal's exported journal, at most `MAXIMUM_JOURNAL_RECORDS`. May be repeated. */
  async importJournal(records: readonly Uint8Array[]): Promise<readonly RecordReceipt[]> {
    const body = { records: records.map(base64url) };
    return (await this.#send("POST", "/journals", api.JournalImportAnswer, api.JournalImport, body)).records;
  }

  // --- backups
  /** Begins a copy of the database beside it, or joins the one that is being made. */
  startBackup(): Promise<api.Backup> {
    return this.#send("POST", "/backups", api.Backup, Type.Object({}), {});
  }

  /** The copy begun last since the server started. */
  async latestBackup(): Promise<api.Backup | undefined> {
    return (await this.#get("/backups", api.listOf(api.Backup))).items[0];
  }

  // --- keys
  keys(): Promise<api.Keys> {
    return this.#get("/keys", api.Keys);
  }

  /** Adds a signing key and publishes it; it takes over after the overlap. */
  rotateKeys(options: { readonly overlapSeconds?: number } = {}): Promise<api.Keys> {
    return this.#send("POST", "/keys/rotation", api.Keys, api.Rotation, options);
  }

  /** The issuer's public keys as they are to stand in a trust list: carry it to the offline root. */
  keyStatement(): Promise<api.KeyStatement> {
    return this.#get("/keys/statement", api.KeyStatement);
  }

  /** Publishes a trust list that the offline root signed. */
  bringTrustList(trustList: Uint8Array): Promise<api.Keys> {
    return this.#send("PUT", "/trust-list", api.Keys, api.BroughtTrustList, { trustList: base64url(trustList) });
  }

  /** From now on entries that settle no payment must bear the issuer's seal. Gives how many partitions have older ones. */
  async sealEntries(): Promise<number> {
    return (await this.#send("POST", "/keys/sealing", api.SealingAnswer, Type.Object({}), {})).partitions;
  }

  /** Withdraws a compromised key. With an offline root, have it sign a list without the key, and bring that. */
  withdrawKey(keyId: KeyId): Promise<api.Keys> {
    return this.#send("POST", `/keys/${keyId}/withdrawal`, api.Keys, Type.Object({}), {});
  }

  #get<Schema extends TSchema>(path: string, answer: Schema): Promise<Decoded<Schema>> {
    return this.#transport.json({ method: "GET", path: `/v1/operator${path}` }, answer);
  }

  #send<Answer extends TSchema, Body extends TSchema>(
    method: "POST" | "PUT",
    path: string,
    answer: Answer,
    _bodySchema: Body,
    body: Encoded<Body>,
  ): Promise<Decoded<Answer>> {
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    return this.#transport.json(
      { method, path: `/v1/operator${path}`, body: { type: "application/json", bytes } },
      answer,
    );
  }
}
