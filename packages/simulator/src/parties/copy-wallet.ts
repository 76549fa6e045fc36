import type { Decision, StoredWallet, WalletStore, WalletWrite } from "@cairn/pay";
import { MemoryWalletStore } from "@cairn/stores";

/** Everything that is on a phone at this moment, on another one: what a thief of a whole phone's memory has. */
export async function copyOf(durable: WalletStore): Promise<WalletStore> {
  const wallet = await durable.commit<StoredWallet>({ kind: "all" }, (stored): Decision<StoredWallet> => {
    return { result: stored, writes: [] };
  });
  const copy = new MemoryWalletStore();
  await copy.commit({ kind: "none" }, () => ({ result: undefined, writes: writesOf(wallet) }));
  return copy;
}

function writesOf({ identity, certificates, payments }: StoredWallet): readonly WalletWrite[] {
  const writes: WalletWrite[] = [];
  if (identity !== undefined) writes.push({ kind: "identity", identity });
  for (const { certificateId, bytes, limitMinor, revoked } of certificates) {
    writes.push({ kind: "certificate", certificateId, bytes, limitMinor });
    if (revoked) writes.push({ kind: "revoked", certificateId });
  }
  for (const payment of payments) {
    const { paymentId, signed, shown, receipt, payeeCertificate, requestVoid, outcome } = payment;
    writes.push({ kind: "payment", payment: { ...payment, signed: undefined, shown: false, receipt: undefined } });
    if (signed !== undefined) writes.push({ kind: "signature", paymentId, signed });
    if (shown && signed !== undefined) writes.push({ kind: "shown", paymentId });
    if (receipt !== undefined && payeeCertificate !== undefined)
      writes.push({ kind: "receipt", paymentId, receipt, payeeCertificate });
    if (requestVoid !== undefined) writes.push({ kind: "void", paymentId, requestVoid });
    if (outcome !== undefined) writes.push({ kind: "outcome", paymentId, outcome });
  }
  for (const { certificateId, closing } of certificates) {
    if (closing === undefined) continue;
    writes.push({ kind: "closing", certificateId, draft: closing.draft });
    if (closing.signed !== undefined) writes.push({ kind: "closing-signature", certificateId, signed: closing.signed });
    if (closing.delivered) writes.push({ kind: "closing-delivered", certificateId });
  }
  return writes;
}
