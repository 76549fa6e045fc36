import type { Signer } from "@cairn/cose";
import {
  type AnnouncedKeys,
  activeKey,
  certificateIdCipher,
  type IssuerKey,
  type IssuerKeys,
} from "@cairn/issuer/services";
import { CLOCK_SKEW_SECONDS, keyIdOf } from "@cairn/messages";
import type { Seeded } from "../kernel/seeded.ts";
import type { Signatures } from "../signatures.ts";

/** Five years, as the real key file has it. */
const KEY_VALIDITY_SECONDS = 5 * 366 * 86_400;

/** The issuer's keys without a key file: each comes from the seed. Rotation and withdrawal as the real ones do it. */
export class SimulatedKeys implements IssuerKeys {
  readonly rootKey;
  readonly rootSigner: Signer;
  readonly certificateIdKey: Uint8Array;
  readonly certificateIdCipher;
  readonly nonceSecret: Uint8Array;
  readonly #signatures: Signatures;
  #keys: readonly IssuerKey[];
  #announced: AnnouncedKeys | undefined;

  constructor(signatures: Signatures, random: Seeded, now: number) {
    this.#signatures = signatures;
    this.rootSigner = signatures.signer("root");
    this.rootKey = this.rootSigner.publicKey;
    this.certificateIdKey = random.bytes(16);
    this.certificateIdCipher = certificateIdCipher(this.certificateIdKey);
    this.nonceSecret = random.bytes(32);
    this.#keys = [this.#newKey(0, { now, signsFrom: now })];
  }

  all(): readonly IssuerKey[] {
    return this.#keys;
  }

  announce(keys: AnnouncedKeys): void {
    this.#announced = keys;
  }

  active(now: number): IssuerKey {
    return activeKey(this.#keys, now, this.#announced);
  }

  byId(keyId: IssuerKey["keyId"]): IssuerKey | undefined {
    return this.#keys.find((key) => key.keyId === keyId);
  }

  async follow(): Promise<boolean> {
    return false;
  }

  async rotate({ now, overlapSeconds }: { readonly now: number; readonly overlapSeconds: number }): Promise<void> {
    const signsFrom = now + overlapSeconds;
    const lastUse = signsFrom + CLOCK_SKEW_SECONDS;
    const before = this.#keys.map((key) => ({ ...key, validUntil: Math.min(key.validUntil, lastUse) }));
    this.#keys = [...before, this.#newKey(before.length, { now, signsFrom })];
  }

  async withdraw(keyId: IssuerKey["keyId"], now: number): Promise<"withdrawn" | "repeated" | "unknown-key"> {
    const found = this.byId(keyId);
    if (found === undefined) return "unknown-key";
    if (found.withdrawnAt !== undefined) return "repeated";
    const keys = this.#keys.map((key) => (key.keyId === keyId ? { ...key, withdrawnAt: now } : key));
    const canGoOn = keys.some((key) => key.withdrawnAt === undefined && key.signsFrom <= now && now < key.validUntil);
    this.#keys = canGoOn ? keys : [...keys, this.#newKey(keys.length, { now, signsFrom: now })];
    return "withdrawn";
  }

  #newKey(number: number, { now, signsFrom }: { readonly now: number; readonly signsFrom: number }): IssuerKey {
    const signer = this.#signatures.signer(`issuer ${number}`);
    const keyId = keyIdOf(signer.publicKey, this.#signatures.crypto);
    const validUntil = signsFrom + KEY_VALIDITY_SECONDS;
    return { keyId, signer, validFrom: now, validUntil, signsFrom, withdrawnAt: undefined };
  }
}
