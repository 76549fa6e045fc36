import { type AccountNumber, type IssuanceCause, type Partition, partitionOf } from "@cairn/issue";
import type { CertificateId, DeviceId } from "@cairn/messages";
import type { DeviceRecord, IssuerStore } from "@cairn/stores";
import type { Logger } from "./logger.ts";
import { ServiceError } from "./service-error.ts";
import type { SyncResult } from "./syncing.ts";

/** One device that listens. */
export type Listener = {
  readonly device: DeviceRecord;
  /** Certificates that the device said it has, and those it was sent since. */
  readonly holds: Set<CertificateId>;
  /** Hands over what is new; must not wait. */
  readonly tell: (result: SyncResult) => void;
  readonly end: () => void;
};

export type PushContext = {
  readonly store: Pick<IssuerStore, "device">;
  readonly log: Logger;
  /** The decision that a sync of this device would lead to now. */
  readonly answer: (
    device: DeviceRecord,
    about: { readonly holds: readonly CertificateId[]; readonly cause: IssuanceCause },
  ) => Promise<SyncResult>;
  readonly maximumListeners: number;
};

/**
 * Devices that are online and want to be told. Whenever something about an account changes, and by schedule, each of its
 * listening devices is looked at as if it had synced: a certificate that is due is issued and handed over without being
 * asked for, and a refusal is told once. Polling goes on working beside it, and a lost event does no harm: what a device
 * does not say it has is delivered again when it reconnects or syncs.
 */
export class PushChannel {
  readonly #context: PushContext;
  readonly #listeners = new Map<DeviceId, Listener>();
  readonly #lastRefusal = new WeakMap<Listener, string>();
  /** What changed first of those changes that nobody has looked at yet. */
  readonly #changed = new Map<AccountNumber, IssuanceCause>();
  #looking: Promise<void> | undefined;
  #isClosed = false;

  constructor(context: PushContext) {
    this.#context = context;
  }

  /**
   * From here on the device is told, beginning with what is due now. A device has one channel: an older one ends.
   * @throws ServiceError PUSH_FULL
   */
  listen(listener: Listener): void {
    const { deviceId, account } = listener.device;
    const older = this.#listeners.get(deviceId);
    if (this.#isClosed || (older === undefined && this.#listeners.size >= this.#context.maximumListeners))
      throw new ServiceError("PUSH_FULL");
    this.#listeners.set(deviceId, listener);
    older?.end();
    this.accountChanged(account, "device-online");
  }

  /** The connection is gone. */
  leave(listener: Listener): void {
    const { deviceId } = listener.device;
    if (this.#listeners.get(deviceId) === listener) this.#listeners.delete(deviceId);
  }

  /** Money, credit, state or certificates of an account have changed. Costs nothing when none of its devices listens. */
  accountChanged(account: AccountNumber, cause: IssuanceCause): void {
    if (![...this.#listeners.values()].some(({ device }) => device.account === account)) return;
    if (!this.#changed.has(account)) this.#changed.set(account, cause);
    this.#looking ??= this.#lookAtChanged().finally(() => {
      this.#looking = undefined;
    });
  }

  /** Payments of some of the partition's accounts were settled. */
  partitionChanged(partition: Partition): void {
    for (const { device } of this.#listeners.values())
      if (partitionOf(device.account) === partition) this.accountChanged(device.account, "settlement-posted");
  }

  /** Time passes: certificates expire, and other processes change accounts. */
  lookAtAll(cause: "timer" | "policy-changed" = "timer"): void {
    for (const { device } of this.#listeners.values()) this.accountChanged(device.account, cause);
  }

  get listening(): number {
    return this.#listeners.size;
  }

  /** Ends every connection and waits for what is being looked at. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { end } of this.#listeners.values()) end();
    this.#listeners.clear();
    this.#changed.clear();
    await this.#looking;
  }

  async #lookAtChanged(): Promise<void> {
    // Changes that come while one account is looked at are seen by the next round: the decision reads the store anew.
    for (;;) {
      const [change] = this.#changed;
      if (change === undefined) return;
      const [account, cause] = change;
      this.#changed.delete(account);
      for (const listener of [...this.#listeners.values()])
        if (listener.device.account === account) await this.#lookSafely(listener, cause);
    }
  }

  async #lookSafely(listener: Listener, cause: IssuanceCause): Promise<void> {
    const { deviceId } = listener.device;
    try {
      await this.#look(listener, cause);
    } catch (error) {
      // The device still polls, and the next round looks again.
      this.#context.log.error({ err: error, deviceId }, "a listening device could not be looked at");
    }
  }

  async #look(listener: Listener, cause: IssuanceCause): Promise<void> {
    const { store, answer } = this.#context;
    const device = await store.device(listener.device.deviceId);
    if (device === undefined || device.status === "frozen") {
      this.leave(listener);
      listener.end();
      return;
    }
    const result = await answer(device, { holds: [...listener.holds], cause });
    if (this.#listeners.get(device.deviceId) !== listener) return;
    const { certificate, decision } = result;
    const refusal = decision.kind === "refuse" ? decision.reasons.map(({ code }) => code).join() : "";
    const isNews = certificate !== undefined || (refusal !== "" && refusal !== this.#lastRefusal.get(listener));
    this.#lastRefusal.set(listener, refusal);
    if (certificate !== undefined) listener.holds.add(certificate.certificateId);
    if (isNews) listener.tell(result);
  }
}
