import { type CertificateId, currency, identifier, type MessageId } from "@cairn/messages";
import type { StoredIdentity, StoredPayment, StoredWallet, WalletStore, WalletWrite } from "@cairn/pay";

/** Records as a store sees them: it never looks into the bytes. */
function numbered(number: number, length: number): Uint8Array {
  const filled = new Uint8Array(length);
  new DataView(filled.buffer).setUint32(length - 4, number);
  return filled;
}

export const certificateId = (number: number) => identifier<CertificateId>(numbered(number, 16), 16);
export const messageId = (number: number) => identifier<MessageId>(numbered(number, 32), 32);
export const bytes = (...values: number[]) => new Uint8Array(values);

export const IDENTITY: StoredIdentity = {
  deviceKey: bytes(2, 1),
  rootKey: bytes(0xa0),
  issuerId: "demo",
  issuerName: "Demo Bank",
  currency: currency("EUR"),
  trustList: bytes(1),
  statusList: bytes(2),
  newestSeen: 100,
};
export const ENROLLED: WalletWrite = { kind: "identity", identity: IDENTITY };
export const CERTIFICATE = {
  kind: "certificate",
  certificateId: certificateId(1),
  bytes: bytes(9),
  limitMinor: 100n,
} as const;
export const ID = messageId(1);

export function aPayment(changes: Partial<StoredPayment> = {}): StoredPayment {
  return {
    paymentId: ID,
    kind: "payment",
    certificateId: certificateId(1),
    sequence: 1,
    amountMinor: 60n,
    spentMinor: 60n,
    preparedAt: 1_000,
    requestId: messageId(101),
    draft: bytes(3),
    signed: undefined,
    shown: false,
    request: bytes(4),
    payeeCertificate: bytes(5),
    receipt: undefined,
    requestVoid: undefined,
    outcome: undefined,
    ...changes,
  };
}

export function anOpenPayment(changes: Partial<StoredPayment> = {}): StoredPayment {
  return aPayment({
    kind: "open-payment",
    requestId: undefined,
    request: undefined,
    payeeCertificate: undefined,
    ...changes,
  });
}

export const added = (payment: StoredPayment): WalletWrite => ({ kind: "payment", payment });
export const signed = (paymentId = ID): WalletWrite => ({ kind: "signature", paymentId, signed: bytes(6) });
export const closed = (draft = bytes(7)): WalletWrite => ({ kind: "closing", certificateId: certificateId(1), draft });

export const writeAll = (store: WalletStore, ...writes: readonly WalletWrite[]): Promise<void> =>
  store.commit({ kind: "none" }, () => ({ result: undefined, writes }));
export const readAll = (store: WalletStore): Promise<StoredWallet> =>
  store.commit({ kind: "all" }, (stored) => ({ result: stored, writes: [] }));
