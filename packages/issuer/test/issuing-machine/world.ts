import { encodeCbor, publicKeyToCbor } from "@cairn/cose";
import { generateNodeSigner } from "@cairn/cose/node";
import { type AccountNumber, type IssuanceEvent, type IssuingPolicy, partitionOf } from "@cairn/issue";
import {
  chainHashOf,
  type DeviceId,
  deviceIdOf,
  type KeyProtection,
  keyIdOf,
  type MessageId,
  type RequestHash,
  type TerminalId,
} from "@cairn/messages";
import { settle } from "@cairn/settle";
import type { DeviceRecord, IssuerStore } from "@cairn/stores";
import { certificateIdCipher } from "../../src/keys/certificate-id-cipher.ts";
import { fingerprintOf } from "../../src/policy/policy-source.ts";
import { issueCertificate } from "../../src/services/issuing.ts";
import { payOnline, withdraw } from "../../src/services/online-money.ts";
import { ServiceError } from "../../src/services/service-error.ts";
import { crypto, EUR, payeeId } from "../support/values.ts";
import type { ModelPayment } from "./model.ts";

export const START = 1_800_000_000;
export const SHOP = payeeId("SHOP");

/** Keys are made once: they say nothing about what is searched. */
const issuerSigner = generateNodeSigner();
const issuerKey = {
  keyId: keyIdOf(issuerSigner.publicKey, crypto),
  signer: issuerSigner,
  validFrom: 0,
  validUntil: Number.MAX_SAFE_INTEGER,
  signsFrom: 0,
  withdrawnAt: undefined,
};
const deviceKeys = Array.from({ length: 12 }, () => generateNodeSigner().publicKey);
const cipher = certificateIdCipher(new Uint8Array(16).fill(7));
const TILL = "7e00000000000001" as TerminalId;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** The issuer's real parts on a real store, with a clock and a policy that a test sets: everything but HTTP. */
export class World {
  readonly store: IssuerStore;
  readonly clock = { now: START, nowSeconds: (): number => this.clock.now };
  #policy: IssuingPolicy;
  #enrolled = 0;
  #ordered = 0;

  constructor(store: IssuerStore, policy: IssuingPolicy) {
    this.store = store;
    this.#policy = policy;
  }

  static async open(store: IssuerStore, policy: IssuingPolicy): Promise<World> {
    await store.createPayee({
      payeeId: SHOP,
      name: "Shop",
      currency: EUR,
      perPaymentCapMinor: 1_000_000n,
      storedTotalCapMinor: 100_000_000n,
      perCertificateCapMinor: 1_000_000n,
      maximumOfflineSeconds: 30 * 86_400,
      createdAt: START,
    });
    return new World(store, policy);
  }

  get policy(): IssuingPolicy {
    return this.#policy;
  }

  set policy(policy: IssuingPolicy) {
    this.#policy = policy;
  }

  openAccount(): Promise<AccountNumber> {
    return this.store.createAccount({ name: "Ada", currency: EUR, createdAt: this.clock.now });
  }

  async enrol(
    account: AccountNumber,
    protection: KeyProtection,
    replacesDeviceId: DeviceId | undefined,
  ): Promise<DeviceRecord> {
    const number = this.#enrolled++;
    const key = deviceKeys[number % deviceKeys.length];
    if (key === undefined || number >= deviceKeys.length) throw new Error("All keys are in use.");
    const codeHash = `code ${number}`;
    await this.store.createEnrolmentCode({
      codeHash,
      for: { account, replacesDeviceId },
      expiresAt: this.clock.now + 60,
    });
    const device = await this.store.enrolDevice({
      codeHash,
      deviceId: deviceIdOf(key, crypto),
      publicKey: encodeCbor(publicKeyToCbor(key)),
      protection,
      label: "phone",
      at: this.clock.now,
    });
    if (typeof device === "string") throw new Error(device);
    return device;
  }

  async look(deviceId: DeviceId, event: IssuanceEvent) {
    const device = await this.store.device(deviceId);
    if (device === undefined) throw new Error("There is no such device.");
    return issueCertificate(device, event, {
      store: this.store,
      keys: { active: () => issuerKey, byId: () => issuerKey, certificateIdCipher: cipher },
      policies: this.#policies,
      crypto,
      clock: this.clock,
      log: silent,
    });
  }

  /** Gives whether the money moved; a refusal for want of free money is no fault. */
  async moveOnline(kind: "withdraw" | "pay", account: AccountNumber, amountMinor: bigint): Promise<boolean> {
    const context = { store: this.store, clock: this.clock, policies: this.#policies };
    const order = { account, amountMinor, idempotencyKey: `order ${this.#ordered++}` };
    try {
      if (kind === "withdraw") await withdraw(order, context);
      else await payOnline({ ...order, payeeId: SHOP }, context);
      return true;
    } catch (error) {
      if (error instanceof ServiceError && (error.code === "FUNDS_INSUFFICIENT" || error.code === "ACCOUNT_FROZEN"))
        return false;
      throw error;
    }
  }

  /** A terminal brings payments home, and they are settled. Gives what of them the issuer's reserve paid. */
  async settle(
    account: AccountNumber,
    certificate: { readonly id: string; readonly number: number },
    payments: readonly ModelPayment[],
  ): Promise<readonly { readonly state: string }[]> {
    const partition = partitionOf(account);
    const at = this.clock.now;
    const idOf = (sequence: number): MessageId =>
      (certificate.number * 0x1_0000 + sequence).toString(16).padStart(16, "0").padEnd(64, "0") as MessageId;
    await this.store.receive(
      payments.map(({ sequence }) => ({
        inboxId: 0,
        recordHash: idOf(sequence),
        partition,
        broughtBy: "terminal",
        senderId: TILL,
        paymentId: idOf(sequence),
        bytes: Uint8Array.of(1),
        receivedAt: at,
      })),
    );
    const batch = await this.#batchOf(partition);
    return this.store.settle({
      partition,
      records: batch,
      items: payments.map(({ sequence, minor, spentMinor }) => ({
        inboxId: batch.find(({ paymentId }) => paymentId === idOf(sequence))?.inboxId ?? 0,
        paymentId: idOf(sequence),
        bytes: Uint8Array.of(1),
        kind: "payment",
        certificateId: certificate.id as never,
        sequence,
        spentMinor,
        amountMinor: minor,
        previous: chainHashOf(idOf(sequence - 1)),
        requestHash: idOf(sequence).slice(0, 32) as RequestHash,
        receivedAt: at,
        broughtBy: "terminal",
        payeeWord: {
          payeeId: SHOP,
          terminalId: TILL,
          perCertificateCapMinor: 1_000_000n,
          maximumOfflineSeconds: 30 * 86_400,
          acceptedAt: at,
          takenMinor: minor,
        },
        voided: false,
        refusal: undefined,
      })),
      decide: (state, items) => settle(state, items, { now: at, policy: this.#policy }),
      rejected: [],
      at,
    });
  }

  async #batchOf(partition: number) {
    for (;;) {
      const batch = await this.store.takeBatch(1_000);
      if (batch === undefined) throw new Error("Nothing waits.");
      if (batch.partition === partition) return batch.records;
    }
  }

  get #policies() {
    return { at: () => ({ policy: this.#policy, fingerprint: fingerprintOf(this.#policy) }) };
  }
}
