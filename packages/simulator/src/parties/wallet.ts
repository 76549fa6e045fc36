import { createHash } from "node:crypto";
import type { Signer } from "@cairn/cose";
import { encodeCbor, publicKeyToCbor } from "@cairn/cose";
import type { AccountNumber } from "@cairn/issue";
import { ServiceError } from "@cairn/issuer/services";
import { type Currency, type DeviceId, deviceIdOf, type KeyProtection, writeSignedCall } from "@cairn/messages";
import {
  acceptEnrolment,
  applySyncAnswer,
  buildSync,
  type SyncAnswer,
  type WalletPorts,
  type WalletStore,
} from "@cairn/pay";
import { MemoryWalletStore } from "@cairn/stores";
import { Node } from "../kernel/kernel.ts";
import { NoAnswer } from "../kernel/network.ts";
import { counted, money } from "../story.ts";
import { crashableWalletStore } from "./crashable-stores.ts";
import { clockOf, type Surroundings } from "./party.ts";

/** Calls before a person gives up until the phone is online again. */
const TRIES = 3;

export type Owner = { readonly account: AccountNumber; readonly currency: Currency };

/** A phone with the wallet on it. */
export class SimulatedWallet {
  readonly node: Node;
  readonly owner: Owner;
  readonly signer: Signer;
  readonly deviceId: DeviceId;
  readonly durable: WalletStore;
  ports: WalletPorts;
  readonly #in: Surroundings;

  constructor(
    surroundings: Surroundings,
    about: { readonly name: string; readonly owner: Owner; readonly signer: Signer; readonly durable?: WalletStore },
  ) {
    this.#in = surroundings;
    this.node = new Node(about.name);
    this.owner = about.owner;
    this.signer = about.signer;
    this.deviceId = deviceIdOf(about.signer.publicKey, surroundings.signatures.crypto);
    this.durable = about.durable ?? new MemoryWalletStore();
    this.ports = this.#newPorts();
    this.node.onRestart = () => {
      this.ports = this.#newPorts();
    };
  }

  get name(): string {
    return this.node.name;
  }

  /** Enrols the key with the issuer and the wallet with its lists, in a quiet place without faults. */
  async enrol(protection: KeyProtection, replaces?: DeviceId): Promise<void> {
    const { issuer, truth } = this.#in;
    const { account } = this.owner;
    const { store } = issuer;
    const at = issuer.nowSeconds();
    const codeHash = createHash("sha256").update(`code of ${this.name}`).digest("hex");
    await store.createEnrolmentCode({
      codeHash,
      for: replaces === undefined ? { account } : { account, replacesDeviceId: replaces },
      expiresAt: at + 60,
    });
    const publicKey = encodeCbor(publicKeyToCbor(this.signer.publicKey));
    const { deviceId } = this;
    const enrolled = await store.enrolDevice({ codeHash, deviceId, publicKey, protection, label: "phone", at });
    if (typeof enrolled === "string") throw new Error(`A phone was not enrolled: ${enrolled}.`);
    truth.devices.set(deviceId, { account, wallet: this.name });
    const ports = { ...this.ports, store: this.durable };
    const { currency } = this.owner;
    const lists = await issuer.quietLists();
    const answer = { issuerId: "sim", issuerName: "Simulated issuer", rootKey: issuer.rootKey(), currency, ...lists };
    const accepted = await acceptEnrolment(ports, answer);
    if (accepted.kind === "refused") throw new Error(`A wallet refused to enrol: ${accepted.refusal.code}.`);
  }

  /** Comes home: brings payments and closings, takes lists, outcomes and perhaps a certificate. */
  async sync(closeAll = false): Promise<void> {
    const { network, issuer, signatures, tell } = this.#in;
    const { ports } = this;
    const batch = await buildSync(ports, { closeAll });
    for (let tried = 0; tried < TRIES; tried += 1) {
      try {
        const nonce = await network.call(this.node, issuer.server, () => issuer.nonce());
        const issuedAt = ports.clock.nowSeconds();
        const body = await writeSignedCall(
          "sync",
          { callerId: this.deviceId, nonce, content: batch.content, issuedAt },
          { signer: this.signer, crypto: signatures.crypto },
        );
        this.#in.truth.sent({ kind: "sync", body });
        const { result, lists } = await network.call(this.node, issuer.server, () => issuer.sync(body, batch));
        const answer: SyncAnswer = {
          ...lists,
          certificate: result.certificate?.bytes ?? null,
          records: result.records.map(({ fault }, index) => ({
            index,
            state: fault === undefined ? "received" : "refused",
            code: fault?.code ?? null,
            sentence: fault?.sentence ?? null,
          })),
          payments: result.payments.map((payment) => ({ ...payment, takenMinor: BigInt(payment.takenMinor) })),
        };
        const applied = await applySyncAnswer(ports, { answer, entries: batch.entries });
        const { certificate } = applied;
        const brought = batch.entries.length;
        if (brought > 0 || certificate !== undefined)
          tell(() => {
            const what = brought > 0 ? [`brings ${counted(brought, "record")}`] : [];
            if (certificate !== undefined)
              what.push(`takes home a certificate for ${money(certificate.terms.limitMinor)}`);
            return `${this.name} is online, ${what.join(" and ")}`;
          });
        return;
      } catch (error) {
        if (error instanceof NoAnswer) continue;
        if (error instanceof ServiceError && error.code === "NONCE_INVALID") continue;
        if (error instanceof ServiceError)
          return tell(() => `${this.name} is turned away by the server: ${error.code}`);
        throw error;
      }
    }
    tell(() => `${this.name} got no answer from the server`);
  }

  #newPorts(): WalletPorts {
    const { signatures, diskOf, truth } = this.#in;
    const disk = diskOf(this.node);
    return {
      store: crashableWalletStore(this.durable, disk, (writes) => {
        for (const write of writes) {
          if (write.kind === "payment") truth.paymentMade(this, write.payment);
          if (write.kind === "closing") truth.closingMade(this);
        }
      }),
      signer: this.signer,
      crypto: signatures.crypto,
      clock: clockOf(this.#in, this.node),
    };
  }
}
