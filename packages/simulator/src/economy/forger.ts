import type { Signer } from "@cairn/cose";
import { ServiceError } from "@cairn/issuer/services";
import {
  type ChainHash,
  type Closing,
  closing,
  decodeMessage,
  encodeSyncRecord,
  encodeUploadRecord,
  IDENTIFIER_BYTES,
  identifier,
  joinRecords,
  type MessageId,
  type Payment,
  type PaymentRequest,
  payment,
  paymentRequest,
  type RequestNonce,
  readCode,
  requestHashOf,
  signMessage,
  type UserCertificate,
  userCertificate,
  writeCode,
  writeSignedCall,
} from "@cairn/messages";
import { NoAnswer } from "../kernel/network.ts";
import type { SimulatedTerminal } from "../parties/terminal.ts";
import type { SimulatedWallet } from "../parties/wallet.ts";
import { money } from "../story.ts";
import { CURRENCY, type World } from "./world.ts";

/** Who holds a key that was taken out of a phone, or signs certificates of its own making: signs what no wallet would. */
export type TakenKey = {
  /** Whose certificate it is, or whose id it bears. */
  readonly wallet: SimulatedWallet;
  /** Of the key that the certificate names. */
  readonly signer: Signer;
  /** For people: who pays. */
  readonly by: string;
  /** The issuer never issued this certificate, whatever its signature says. */
  readonly isForged: boolean;
  readonly certificate: UserCertificate;
  readonly bytes: Uint8Array;
  /** The phone's. */
  readonly counter: { readonly sequence: number; readonly spentMinor: bigint };
  /** The thief's own count. */
  sequence: number;
  spentMinor: bigint;
};

/** The newest certificate on the phone that can still pay. */
export async function takeKey(world: World, wallet: SimulatedWallet): Promise<TakenKey | undefined> {
  const { crypto } = world.surroundings.signatures;
  const certificates = await wallet.durable.commit({ kind: "none" }, (stored) => ({
    result: stored.certificates,
    writes: [],
  }));
  const now = world.issuer.nowSeconds();
  for (const { bytes, closing, counter } of certificates.toReversed()) {
    const certificate = decodeMessage(userCertificate, bytes, crypto).unverified;
    if (closing === undefined && certificate.expiresAt > now)
      return {
        wallet,
        signer: wallet.signer,
        by: `the thief of ${wallet.name}'s key`,
        isForged: false,
        certificate,
        bytes,
        counter,
        sequence: 0,
        spentMinor: 0n,
      };
  }
  return undefined;
}

/** How a thief counts. */
export const STYLES = ["at random", "totals stand still", "beyond the limit", "pays less"] as const;
type Style = (typeof STYLES)[number];

/** A payment with whatever sequence number and running total the thief likes. */
async function forge(world: World, taken: TakenKey, asked: PaymentRequest, requestId: MessageId, style: Style) {
  const { crypto } = world.surroundings.signatures;
  const { random } = world.kernel.cause;
  const { certificate, wallet, signer, by } = taken;
  const { limitMinor } = certificate.terms;
  const amountMinor = style === "pays less" ? asked.amountMinor / 2n + 1n : asked.amountMinor;
  const room = Number(limitMinor - amountMinor);
  taken.spentMinor += amountMinor;
  taken.sequence += random.between(1, 3);
  const counted = {
    "at random": { sequence: random.between(1, 60), spentMinor: amountMinor + BigInt(random.below(room + 1)) },
    "totals stand still": { sequence: taken.sequence, spentMinor: limitMinor },
    "beyond the limit": { sequence: taken.sequence, spentMinor: taken.spentMinor },
    "pays less": { sequence: taken.sequence, spentMinor: amountMinor },
  }[style];
  const content: Payment = {
    certificateId: certificate.certificateId,
    ...counted,
    previous: identifier<ChainHash>(random.bytes(IDENTIFIER_BYTES.chainHash), IDENTIFIER_BYTES.chainHash),
    amountMinor,
    issuedAt: asked.issuedAt,
    requestHash: requestHashOf(requestId),
  };
  const signed = await signMessage(payment, content, { signer, crypto });
  if (taken.isForged) world.truth.underForged.add(signed.messageId);
  world.truth.forged({
    paymentId: signed.messageId,
    account: wallet.owner.account,
    certificateId: certificate.certificateId,
    requestId,
    amountMinor,
    sequence: content.sequence,
    spentMinor: content.spentMinor,
    by,
    position: `seq ${content.sequence}, spent ${money(content.spentMinor)}`,
  });
  return signed;
}

/** As much as one payment of the certificate can carry. */
export function largest(taken: TakenKey): bigint {
  const { perPaymentCapMinor, limitMinor } = taken.certificate.terms;
  const most = perPaymentCapMinor < limitMinor ? perPaymentCapMinor : limitMinor;
  return most < 20_000n ? most : 20_000n;
}

/** Shows a forged payment to a terminal that goes by the rules. */
export async function showForged(
  world: World,
  taken: TakenKey,
  terminal: SimulatedTerminal,
  { style, mostMinor }: { readonly style: Style; readonly mostMinor?: bigint },
): Promise<void> {
  const largestMinor = largest(taken);
  const amountMinor = mostMinor !== undefined && mostMinor < largestMinor ? mostMinor : largestMinor;
  if (!terminal.node.isUp || amountMinor <= 0n) return;
  const asked = await terminal.app.charge({ amount: { minor: amountMinor, currency: CURRENCY } });
  if (asked.kind === "refused") return;
  world.truth.asked(asked.requestId, { payeeId: terminal.payeeId, terminal: terminal.name, amountMinor });
  const forged = await forge(world, taken, asked.request, asked.requestId, style);
  const outcome = await terminal.app.accept(
    writeCode({ type: "payment", certificate: taken.bytes, message: forged.bytes }),
  );
  world.tell(() => {
    const what = world.truth.payments.get(forged.messageId);
    const said = outcome.kind === "accepted" ? "accepts it" : `refuses: ${outcome.refusal.code}`;
    return `${what?.by} pays ${money(amountMinor)} at ${terminal.name} (${what?.position}), which ${said}`;
  });
}

/** A payee in league with the thief: asks and uploads by itself, and never looks at the rules. */
export async function uploadForged(world: World, taken: TakenKey, terminal: SimulatedTerminal): Promise<void> {
  const { kernel, truth, issuer } = world;
  const { crypto } = world.surroundings.signatures;
  const { random } = kernel.cause;
  const bundle = await readBundle(world, terminal);
  if (bundle === undefined) return;
  const issuedAt = issuer.nowSeconds() - random.below(86_400);
  const records: Uint8Array[] = [];
  for (let number = 0; number < 3; number += 1) {
    const request: PaymentRequest = {
      payeeCertificateId: bundle.payeeCertificateId,
      amountMinor: largest(taken),
      currency: CURRENCY,
      nonce: identifier<RequestNonce>(random.bytes(IDENTIFIER_BYTES.requestNonce), IDENTIFIER_BYTES.requestNonce),
      issuedAt,
      expiresAt: issuedAt + 300,
    };
    const signed = await signMessage(paymentRequest, request, { signer: terminal.signer, crypto });
    truth.asked(signed.messageId, {
      payeeId: terminal.payeeId,
      terminal: terminal.name,
      amountMinor: request.amountMinor,
    });
    const forged = await forge(world, taken, request, signed.messageId, random.pick(STYLES));
    records.push(
      encodeUploadRecord({
        kind: "payment",
        payeeCertificate: bundle.payeeCertificate,
        request: signed.bytes,
        certificate: taken.bytes,
        payment: forged.bytes,
      }),
    );
  }
  world.tell(() => `${terminal.name}, in league with ${taken.by}, uploads 3 payments of its own making`);
  await upload(world, terminal, records);
}

/**
 * The thief of a key signs its last word by hand: what the phone has spent, under a number so high that no payment's is
 * beyond it. Then the thief goes on where the phone stopped.
 */
export async function closeByHand(world: World, taken: TakenKey): Promise<void> {
  const { wallet, certificate, counter } = taken;
  const { surroundings, issuer, kernel } = world;
  const { network, signatures } = surroundings;
  const { crypto } = signatures;
  const { random } = kernel.cause;
  const content: Closing = {
    certificateId: certificate.certificateId,
    sequence: counter.sequence + 60,
    spentMinor: counter.spentMinor,
    previous: identifier<ChainHash>(random.bytes(IDENTIFIER_BYTES.chainHash), IDENTIFIER_BYTES.chainHash),
    issuedAt: issuer.nowSeconds(),
  };
  const { bytes } = await signMessage(closing, content, { signer: wallet.signer, crypto });
  world.truth.falselyClosed.add(wallet.owner.account);
  world.tell(
    () => `the thief of ${wallet.name}'s key closes its certificate: 60 payments more, and nothing more spent`,
  );
  taken.sequence = counter.sequence;
  taken.spentMinor = counter.spentMinor;
  try {
    const nonce = await network.call(wallet.node, issuer.server, () => issuer.nonce());
    const records = joinRecords([encodeSyncRecord({ kind: "closing", closing: bytes })]);
    const body = await writeSignedCall(
      "sync",
      { callerId: wallet.deviceId, nonce, content: records, issuedAt: issuer.nowSeconds() },
      { signer: wallet.signer, crypto },
    );
    await network.call(wallet.node, issuer.server, () => issuer.sync(body, { holds: [], since: 0 }));
  } catch (error) {
    if (!(error instanceof NoAnswer) && !(error instanceof ServiceError)) throw error;
  }
}

/** A call like any other of this terminal's. */
export async function upload(world: World, terminal: SimulatedTerminal, records: readonly Uint8Array[]): Promise<void> {
  const { surroundings, issuer } = world;
  const { network, signatures } = surroundings;
  try {
    const nonce = await network.call(terminal.node, issuer.server, () => issuer.nonce());
    const body = await writeSignedCall(
      "upload",
      { callerId: terminal.terminalId, nonce, content: joinRecords(records), issuedAt: issuer.nowSeconds() },
      { signer: terminal.signer, crypto: signatures.crypto },
    );
    await network.call(terminal.node, issuer.server, () => issuer.upload(body));
  } catch (error) {
    if (!(error instanceof NoAnswer) && !(error instanceof ServiceError)) throw error;
  }
}

/** The payee certificate that the terminal shows. */
export async function readBundle(world: World, terminal: SimulatedTerminal) {
  const asked = await terminal.app.charge({ amount: { minor: 100n, currency: CURRENCY } });
  if (asked.kind === "refused") return undefined;
  world.truth.asked(asked.requestId, { payeeId: terminal.payeeId, terminal: terminal.name, amountMinor: 100n });
  const { certificate } = readCode(asked.codeText);
  return { payeeCertificate: certificate, payeeCertificateId: asked.request.payeeCertificateId };
}
