import { type Amount, amount, type MessageId, openPayment, payment, writeCode } from "@cairn/messages";
import { type Refused, refused } from "./codes.ts";
import { signDraft } from "./draft.ts";
import type { WalletPorts } from "./ports.ts";
import { commitWallet, readWallet, type Wallet } from "./wallet.ts";
import type { StoredPayment, WalletWrite } from "./wallet-store.ts";

/** A payment ready to be shown to the payee. */
export type ShownPayment = {
  readonly kind: "shown";
  readonly paymentId: MessageId;
  readonly amount: Amount;
  /** For QR, NFC or a file. */
  readonly codeText: string;
};

type Showing = { readonly shown: ShownPayment; readonly firstTime: boolean };

/**
 * Shows a payment that was just seen in the store: signs it unless that was done before, makes the signature durable,
 * and only then lets it out. What has changed meanwhile is seen before it is shown. `firstTime` is true for exactly one
 * caller, whatever runs at the same time.
 */
export async function releasePayment(ports: WalletPorts, durable: StoredPayment): Promise<Showing> {
  const { paymentId } = durable;
  const signed = await signatureFor(ports, durable);
  return commitWallet(ports, { kind: "ids", paymentIds: [paymentId] }, (wallet) => {
    const [current] = wallet.payments;
    if (current === undefined) throw new TypeError("A payment has gone from the store, which deletes none.");
    const shown = shownPayment(wallet, current, current.signed ?? signed);
    const writes: WalletWrite[] = current.signed === undefined ? [{ kind: "signature", paymentId, signed }] : [];
    if (!current.shown) writes.push({ kind: "shown", paymentId });
    return { result: { shown, firstTime: !current.shown }, writes };
  });
}

/** The encoded payment: as it was signed before, or signed now. */
export async function signatureFor(ports: WalletPorts, durable: StoredPayment): Promise<Uint8Array> {
  if (durable.signed !== undefined) return durable.signed;
  return durable.kind === "payment"
    ? signDraft(payment, durable.draft, ports)
    : signDraft(openPayment, durable.draft, ports);
}

/**
 * Shows a payment of the history once more, of either kind: the same one, for a terminal that did not read it.
 * @throws PayError NOT_ENROLLED, WALLET_KEY_DIFFERS.
 */
export async function showAgain(ports: WalletPorts, paymentId: MessageId): Promise<ShownPayment | Refused> {
  const [durable] = (await readWallet(ports, { kind: "ids", paymentIds: [paymentId] })).payments;
  return durable === undefined ? refused("PAYMENT_UNKNOWN") : (await releasePayment(ports, durable)).shown;
}

function shownPayment(wallet: Wallet, durable: StoredPayment, message: Uint8Array): ShownPayment {
  const { certificateId, paymentId } = durable;
  const certificate = wallet.certificates.find((each) => each.certificateId === certificateId);
  if (certificate === undefined) throw new TypeError("A payment has lost its certificate.");
  const type = durable.kind === "payment" ? "payment" : "open-payment";
  return {
    kind: "shown",
    paymentId,
    amount: amount(durable.amountMinor, wallet.identity.currency),
    codeText: writeCode({ type, certificate: certificate.bytes, message }),
  };
}
