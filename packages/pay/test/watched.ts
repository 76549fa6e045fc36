import assert from "node:assert/strict";
import {
  areCompatible,
  closing,
  decodeMessage,
  IDENTIFIER_BYTES,
  identifier,
  isBeyondClosing,
  type MessageId,
  restoreVerified,
  type UserCertificate,
  userCertificate,
} from "@cairn/messages";
import type { StoredWallet, WalletPorts, WalletStore } from "../src/index.ts";
import { crypto } from "./world.ts";

/** The end of the process, as far as a test can have it: whatever ran does not go on. */
export class Crash extends Error {}

/** When the process ends: at the `at`-th call of a port, before the port does it or just after. */
export type CrashPoint = { readonly at: number; readonly when: "before" | "after" };

export type Watch = {
  readonly ports: WalletPorts;
  /** Calls of ports so far. */
  calls(): number;
  /** Ids of everything that the device key ever signed. */
  readonly signed: Set<MessageId>;
};

/**
 * Ports that can crash, wait their turn, and watch the device key: what it signs must be durable before. `turn` is
 * waited for before each call.
 */
export function watch(
  ports: WalletPorts,
  options: {
    readonly crash?: CrashPoint;
    readonly turn?: () => Promise<unknown>;
    readonly signed?: Set<MessageId>;
  } = {},
): Watch {
  const { crash, turn, signed = new Set<MessageId>() } = options;
  let calls = 0;
  async function call<Result>(work: () => Promise<Result>): Promise<Result> {
    await turn?.();
    calls++;
    if (crash !== undefined && (calls > crash.at || (calls === crash.at && crash.when === "before"))) throw new Crash();
    const result = await work();
    if (crash !== undefined && calls >= crash.at) throw new Crash();
    return result;
  }
  const store: WalletStore = {
    commit: (load, decide) => call(() => ports.store.commit(load, decide)),
    close: () => ports.store.close(),
  };
  const signer = {
    publicKey: ports.signer.publicKey,
    sign: (message: Uint8Array) =>
      call(async () => {
        const id = identifier<MessageId>(crypto.sha256(message), IDENTIFIER_BYTES.messageId);
        assert.ok(durableIds(await snapshot(ports.store)).has(id), "durable before it is signed");
        signed.add(id);
        return ports.signer.sign(message);
      }),
  };
  return { ports: { ...ports, store, signer }, calls: () => calls, signed };
}

export function snapshot(store: WalletStore): Promise<StoredWallet> {
  return store.commit({ kind: "all" }, (stored) => ({ result: stored, writes: [] }));
}

/** Ids of the payments and closings in a store. */
function durableIds({ payments, certificates }: StoredWallet): ReadonlySet<MessageId> {
  const closings = certificates.flatMap(({ closing: its }) =>
    its === undefined ? [] : [decodeMessage(closing, its.draft, crypto).messageId],
  );
  return new Set([...payments.map(({ paymentId }) => paymentId), ...closings]);
}

/** What must hold of an honest wallet at every moment. */
export function assertHonest(wallet: StoredWallet, signed: ReadonlySet<MessageId>): void {
  const durable = durableIds(wallet);
  for (const id of signed) assert.ok(durable.has(id), "nothing was signed that is not durable");
  for (const stored of wallet.certificates) {
    const content = restoreVerified(userCertificate, stored.bytes, crypto).content;
    assertHonestChain(
      content,
      wallet.payments.filter(({ certificateId }) => certificateId === content.certificateId),
    );
    if (stored.closing === undefined) continue;
    const { unverified } = decodeMessage(closing, stored.closing.draft, crypto);
    for (const payment of wallet.payments) {
      if (payment.certificateId === content.certificateId) assert.ok(!isBeyondClosing(payment, unverified));
    }
  }
  const requests = wallet.payments.flatMap(({ requestId }) => requestId ?? []);
  assert.equal(new Set(requests).size, requests.length, "one payment a request");
}

function assertHonestChain(certificate: UserCertificate, payments: StoredWallet["payments"]): void {
  let spentMinor = 0n;
  for (const [index, payment] of payments.entries()) {
    spentMinor += payment.amountMinor;
    assert.equal(payment.sequence, index + 1, "sequence is dense");
    assert.equal(payment.spentMinor, spentMinor, "the running total adds up");
    for (const other of payments.slice(index + 1)) assert.ok(areCompatible(payment, other), "payments are compatible");
  }
  assert.ok(spentMinor <= certificate.terms.limitMinor, "spent is within the limit");
}
