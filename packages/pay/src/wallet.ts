import { decodePublicKey, isCompressedPoint, type P256PublicKey, publicKeyFromPoint } from "@cairn/cose";
import {
  type ChainHash,
  chainHashOf,
  type MessageId,
  restoreVerified,
  type UserCertificate,
  userCertificate,
  type Verified,
} from "@cairn/messages";
import { PayError } from "./codes.ts";
import { honestNow, type WalletPorts } from "./ports.ts";
import type {
  Decision,
  PaymentSelection,
  StoredCertificate,
  StoredIdentity,
  StoredPayment,
  StoredWallet,
} from "./wallet-store.ts";

/** Where a certificate's chain stands: all that the next link needs to know. */
export type Counter = {
  /** Sequence number of the last payment; 0 when there is none. */
  readonly sequence: number;
  readonly spentMinor: bigint;
  /** The last link: the last payment's id, without payments the certificate's message id; shortened. */
  readonly previous: ChainHash;
  /** Payments that are durable but were never signed. */
  readonly unsignedPayments: number;
};

/** A certificate as the pure decisions see it. */
export type HeldCertificate = {
  readonly certificate: UserCertificate;
  readonly counter: Counter;
  readonly closed: boolean;
  readonly revoked: boolean;
};

/** The wallet at one moment, decoded, with the time that it goes by. */
export type Wallet = {
  readonly identity: StoredIdentity;
  readonly now: number;
  readonly held: readonly HeldCertificate[];
  readonly certificates: readonly StoredCertificate[];
  readonly payments: readonly StoredPayment[];
};

/**
 * Runs a decision on the decoded wallet under the store's lock.
 * @throws PayError NOT_ENROLLED, WALLET_KEY_DIFFERS; whatever the store throws.
 */
export function commitWallet<Result>(
  ports: WalletPorts,
  load: PaymentSelection,
  decide: (wallet: Wallet) => Decision<Result>,
): Promise<Result> {
  return ports.store.commit(load, (stored) => decide(openWallet(stored, ports)));
}

/** Looks without writing. @throws as {@link commitWallet}. */
export function readWallet(ports: WalletPorts, load: PaymentSelection): Promise<Wallet> {
  return commitWallet(ports, load, (wallet) => ({ result: wallet, writes: [] }));
}

function openWallet(stored: StoredWallet, ports: WalletPorts): Wallet {
  const { identity, certificates, payments } = stored;
  if (identity === undefined) throw new PayError("NOT_ENROLLED", "This wallet is not enrolled yet.");
  if (!isCompressedPoint(identity.deviceKey, ports.signer.publicKey)) {
    throw new PayError("WALLET_KEY_DIFFERS", "This wallet belongs to a device with another key.");
  }
  const held = openCertificates(certificates, ports);
  return { identity, now: honestNow(ports.clock, identity.newestSeen), held, certificates, payments };
}

/** By the very list, as long as a store in memory hands out the same one. */
const openedLists = new WeakMap<readonly StoredCertificate[], readonly HeldCertificate[]>();

function openCertificates(stored: readonly StoredCertificate[], ports: WalletPorts): readonly HeldCertificate[] {
  const known = openedLists.get(stored);
  if (known !== undefined) return known;
  const held = stored.map((certificate) => openCertificate(certificate, ports));
  openedLists.set(stored, held);
  return held;
}

/** By the very record: a store in memory hands out the same one until something about it changes. */
const opened = new WeakMap<StoredCertificate, HeldCertificate>();

function openCertificate(stored: StoredCertificate, { crypto }: WalletPorts): HeldCertificate {
  const known = opened.get(stored);
  if (known !== undefined) return known;
  const certificate = restoreVerified(userCertificate, stored.bytes, crypto);
  const { sequence, spentMinor, unsignedPayments, lastPaymentId } = stored.counter;
  const held = {
    certificate: certificate.content,
    counter: { sequence, spentMinor, unsignedPayments, previous: previousOf(certificate, lastPaymentId) },
    closed: stored.closing !== undefined,
    revoked: stored.revoked,
  };
  opened.set(stored, held);
  return held;
}

function previousOf(certificate: Verified<UserCertificate>, lastPaymentId: MessageId | undefined): ChainHash {
  return chainHashOf(lastPaymentId ?? certificate.messageId);
}

/** @throws CodedError when the bytes are not one COSE_Key. */
export function rootKeyOf(bytes: Uint8Array): P256PublicKey {
  return decodePublicKey(bytes);
}

export function deviceKeyOf(identity: StoredIdentity): P256PublicKey {
  return publicKeyFromPoint(identity.deviceKey);
}
