import { type CryptoPort, encodeCbor, publicKeyToCbor, type Signer } from "@cairn/cose";
import {
  type CallPurpose,
  type CertificateId,
  type DeviceId,
  deviceIdOf,
  fromHex,
  IDENTIFIER_BYTES,
  identifierFromText,
  joinRecords,
  type KeyProtection,
  type MessageId,
  type ServerNonce,
  type TerminalId,
  writeSignedCall,
} from "@cairn/messages";
import type { TSchema } from "@sinclair/typebox";
import {
  type AccountDevice,
  DeviceEnrolment,
  DevicesAnswer,
  LossAnswer,
  NonceAnswer,
  OutcomesAnswer,
  ReceivingAnswer,
  SyncAnswer,
  TerminalEnrolment,
  TillRefundAnswer,
  UploadAnswer,
} from "../api/device-api.ts";
import type { Decoded } from "../api/wire.ts";
import { type Clock, systemClock } from "../clock.ts";
import { ClientError, clientFault } from "./client-error.ts";
import { Transport } from "./transport.ts";

export type IssuerClientOptions = {
  /** The issuer's address, such as http://127.0.0.1:8471. */
  readonly url: string;
  /** The device's or terminal's own key: every call but the lists is signed with it. */
  readonly signer: Signer;
  readonly crypto: CryptoPort;
  readonly clock?: Clock;
  /** For one HTTP call. Default 30,000. */
  readonly timeoutMs?: number;
};

/** `label` is what the operator sees; `protection` as in the user certificate. */
export type EnrolmentInput = { readonly code: string; readonly protection: KeyProtection; readonly label: string };
export type SyncInput = {
  /** Encoded sync records (`encodeSyncRecord`), one by one or joined, at most 1,000. */
  readonly records: readonly Uint8Array[];
  /** Asks for a fresh certificate ahead of a time without network. */
  readonly ahead?: boolean;
  /** Certificates that the wallet holds, newest first: a current one that is missing here is delivered again. */
  readonly holds?: readonly CertificateId[];
  /**
   * The date of the status list that the wallet holds, seconds since 1970: the answer leaves out payments that were
   * decided well before, and are not brought in this call. Left out: it tells of all.
   */
  readonly since?: number;
};

/** `key`: 1 to 32 characters of A-Z, a-z, 0-9 and "-", made once for this refund and kept until it is answered. */
export type TillRefundOrder = { readonly paymentId: MessageId; readonly amountMinor: bigint; readonly key: string };

type SignedPost = { readonly path: string; readonly purpose: CallPurpose; readonly content: Uint8Array } & {
  readonly query?: Readonly<Record<string, string | undefined>>;
};

/** A nonce that came with an answer is used within this time: the server takes it for two minutes, a slow line needs some. */
const KEPT_NONCE_SECONDS = 60;

/**
 * What wallets and terminals ask of an issuer's server. Lists and certificates come back as the signed bytes: the
 * caller verifies them. Every call may be repeated. All methods throw {@link ClientError}.
 */
export class IssuerClient {
  readonly #transport: Transport;
  readonly #signer: Signer;
  readonly #crypto: CryptoPort;
  readonly #clock: Clock;
  readonly #callerId: DeviceId;
  /** From the newest answer; `until` in seconds since 1970. */
  #keptNonce: { readonly nonce: ServerNonce; readonly until: number } | undefined;

  /** @throws ClientError ISSUER_URL_INVALID; CoseError COSE_KEY_INVALID for a key off the curve. */
  constructor(options: IssuerClientOptions) {
    this.#transport = new Transport({ ...options, onNonce: (text) => this.#keepNonce(text) });
    this.#signer = options.signer;
    this.#crypto = options.crypto;
    this.#clock = options.clock ?? systemClock;
    this.#callerId = deviceIdOf(options.signer.publicKey, options.crypto);
  }

  /** One that came with the last answer, or one that is fetched. */
  async nonce(): Promise<ServerNonce> {
    const kept = this.#keptNonce;
    this.#keptNonce = undefined;
    if (kept !== undefined && this.#clock.nowSeconds() <= kept.until) return kept.nonce;
    const { nonce } = await this.#transport.json({ method: "GET", path: "/v1/nonce" }, NonceAnswer);
    const checked = identifierFromText<ServerNonce>(nonce, IDENTIFIER_BYTES.serverNonce);
    if (checked === undefined) throw clientFault("ISSUER_REPLY_INVALID");
    return checked;
  }

  /** Repeat it with the same code and key after a lost answer: the same device is enrolled once. */
  enrolDevice(input: EnrolmentInput): Promise<DeviceEnrolment> {
    return this.#enrol("/v1/enrolments/device", input, DeviceEnrolment);
  }

  enrolTerminal(input: EnrolmentInput): Promise<TerminalEnrolment> {
    return this.#enrol("/v1/enrolments/terminal", input, TerminalEnrolment);
  }

  sync(input: SyncInput): Promise<SyncAnswer> {
    const query = {
      ahead: input.ahead === true ? "true" : undefined,
      holds: input.holds === undefined || input.holds.length === 0 ? undefined : input.holds.slice(0, 16).join(","),
      since: input.since?.toString(),
    };
    return this.#post({ path: "/v1/sync", purpose: "sync", content: joinRecords(input.records), query }, SyncAnswer);
  }

  /** @param records Encoded upload records (`encodeUploadRecord`), at most 1,000. */
  upload(records: readonly Uint8Array[]): Promise<UploadAnswer> {
    return this.#post({ path: "/v1/uploads", purpose: "upload", content: joinRecords(records) }, UploadAnswer);
  }

  /** What became of payments, at most 1,000 at once. Those that are not the caller's own are "unknown". */
  outcomes(paymentIds: readonly MessageId[]): Promise<OutcomesAnswer> {
    const content = encodeCbor(paymentIds.map(fromHex));
    return this.#post({ path: "/v1/outcomes", purpose: "outcomes", content }, OutcomesAnswer);
  }

  /** The devices of the caller's account, the caller among them. */
  async devices(): Promise<readonly AccountDevice[]> {
    const call = { path: "/v1/devices", purpose: "devices", content: new Uint8Array() } as const;
    return (await this.#post(call, DevicesAnswer)).devices;
  }

  /** Reports another device of the account lost. Gives how many certificates were withdrawn. May be repeated. */
  async reportLoss(deviceId: DeviceId): Promise<number> {
    const content = encodeCbor(fromHex(deviceId));
    return (await this.#post({ path: "/v1/losses", purpose: "loss", content }, LossAnswer)).withdrawn;
  }

  /** A one-time code for `enrolTerminal` with the key that this wallet receives with, as a terminal of its account. */
  openReceiving(terminalId: TerminalId): Promise<ReceivingAnswer> {
    const content = encodeCbor(fromHex(terminalId));
    return this.#post({ path: "/v1/receiving", purpose: "receiving", content }, ReceivingAnswer);
  }

  /**
   * Gives a settled payment of the calling terminal's payee back, in full or in part. The same `key` never gives back
   * twice, whatever is lost on the way. An amount of zero only asks how much was given back.
   */
  refund(order: TillRefundOrder): Promise<TillRefundAnswer> {
    const content = encodeCbor([fromHex(order.paymentId), Number(order.amountMinor), order.key]);
    return this.#post({ path: "/v1/refunds", purpose: "refund", content }, TillRefundAnswer);
  }

  /** An answer that goes on, for `issuerEvents`: no bound but the caller's signal. */
  async openEvents(holds: readonly CertificateId[], signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const call = { path: "/v1/events", purpose: "events", content: new Uint8Array() } as const;
    const query = holds.length === 0 ? {} : { query: { holds: holds.slice(0, 16).join(",") } };
    return this.#withNonce(async () => {
      const body = { type: "application/cbor-seq", bytes: await this.#signed(call) };
      return this.#transport.stream({ method: "POST", path: call.path, body, ...query }, signal);
    });
  }

  /** The signed bytes of both lists, for devices that only refresh them. */
  async lists(): Promise<{ readonly trustList: Uint8Array; readonly statusList: Uint8Array }> {
    const [trustList, statusList] = await Promise.all([
      this.#transport.bytes({ method: "GET", path: "/v1/trust-list" }),
      this.#transport.bytes({ method: "GET", path: "/v1/status-list" }),
    ]);
    return { trustList, statusList };
  }

  #enrol<Schema extends TSchema>(path: string, input: EnrolmentInput, schema: Schema): Promise<Decoded<Schema>> {
    const key = publicKeyToCbor(this.#signer.publicKey);
    const content = encodeCbor([input.code, key, input.protection, input.label]);
    return this.#post({ path, purpose: "enrolment", content }, schema);
  }

  #post<Schema extends TSchema>(call: SignedPost, schema: Schema): Promise<Decoded<Schema>> {
    const { path, query = {} } = call;
    return this.#withNonce(async () => {
      const body = { type: "application/cbor-seq", bytes: await this.#signed(call) };
      return this.#transport.json({ method: "POST", path, body, query }, schema);
    });
  }

  /** A nonce may have been used by an earlier try whose answer was lost, or have expired on a slow line: one more try. */
  async #withNonce<Answer>(send: () => Promise<Answer>): Promise<Answer> {
    try {
      return await send();
    } catch (error) {
      if (error instanceof ClientError && error.code === "NONCE_INVALID") return send();
      throw error;
    }
  }

  #keepNonce(text: string): void {
    const nonce = identifierFromText<ServerNonce>(text, IDENTIFIER_BYTES.serverNonce);
    if (nonce !== undefined) this.#keptNonce = { nonce, until: this.#clock.nowSeconds() + KEPT_NONCE_SECONDS };
  }

  async #signed({ purpose, content }: SignedPost): Promise<Uint8Array> {
    return writeSignedCall(
      purpose,
      { callerId: this.#callerId, nonce: await this.nonce(), content, issuedAt: this.#clock.nowSeconds() },
      { signer: this.#signer, crypto: this.#crypto },
    );
  }
}
