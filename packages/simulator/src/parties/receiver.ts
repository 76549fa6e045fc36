import { encodeCbor, publicKeyToCbor, type Signer } from "@cairn/cose";
import { ServiceError } from "@cairn/issuer/services";
import { type DeviceId, fromHex, type PayeeId, type TerminalId, terminalIdOf, writeSignedCall } from "@cairn/messages";
import { NoAnswer } from "../kernel/network.ts";
import { Seeded } from "../kernel/seeded.ts";
import { clockOf, type Surroundings } from "./party.ts";
import { SimulatedTerminal } from "./terminal.ts";
import type { SimulatedWallet } from "./wallet.ts";

/** A browser keeps it, in software. */
const PROTECTION = 0;

/**
 * Makes a second key of a wallet one that receives, as a terminal of its own account (decision 0086): the phone asks
 * for a code and enrols with it, over the network. Undefined where that came to nothing: it is tried again, with the
 * same key, when somebody wants to pay.
 */
export async function openReceiver(
  surroundings: Surroundings,
  wallet: SimulatedWallet,
  seed: string,
): Promise<SimulatedTerminal | undefined> {
  const { signatures, issuer, truth, tell } = surroundings;
  const { crypto } = signatures;
  const signer = signatures.signer(`receiving key of ${wallet.deviceId}`);
  const terminalId = terminalIdOf(signer.publicKey, crypto);
  const call = { surroundings, wallet };
  try {
    const { payeeId, code } = await ask({ ...call, signer: wallet.signer, callerId: wallet.deviceId }, "receiving", {
      content: encodeCbor(fromHex(terminalId)),
      handle: (body) => issuer.openReceiving(body),
    });
    const content = encodeCbor([code, publicKeyToCbor(signer.publicKey), PROTECTION, "phone"]);
    const enrolled = await ask({ ...call, signer, callerId: terminalId }, "enrolment", {
      content,
      handle: (body) => issuer.enrolTerminal(body),
    });
    const receiver = new SimulatedTerminal(surroundings, {
      name: `${wallet.name}'s receiving side`,
      payeeId: payeeId as PayeeId,
      signer,
      random: new Seeded(seed, "receiver", wallet.deviceId),
      node: wallet.node,
    });
    truth.receivers.set(payeeId as PayeeId, wallet.owner.account);
    await receiver.takeHome(enrolled);
    tell(() => `${wallet.name} can be paid from now on`);
    return receiver;
  } catch (error) {
    if (!(error instanceof NoAnswer) && !(error instanceof ServiceError)) throw error;
    // Nobody else has this key: whoever is told so could never be paid.
    if (error instanceof ServiceError && error.code === "KEY_ALREADY_ENROLLED") throw error;
    const why = error instanceof ServiceError ? error.code : "no answer";
    tell(() => `${wallet.name} cannot be paid: ${why}`);
    return undefined;
  }
}

type Caller = {
  readonly surroundings: Surroundings;
  readonly wallet: SimulatedWallet;
  readonly signer: Signer;
  readonly callerId: DeviceId | TerminalId;
};

async function ask<Reply>(
  { surroundings, wallet, signer, callerId }: Caller,
  purpose: "receiving" | "enrolment",
  call: { readonly content: Uint8Array; readonly handle: (body: Uint8Array) => Promise<Reply> },
): Promise<Reply> {
  const { network, issuer, signatures } = surroundings;
  const nonce = await network.call(wallet.node, issuer.server, () => issuer.nonce());
  const issuedAt = clockOf(surroundings, wallet.node).nowSeconds();
  const { crypto } = signatures;
  const body = await writeSignedCall(purpose, { callerId, nonce, content: call.content, issuedAt }, { signer, crypto });
  return network.call(wallet.node, issuer.server, () => call.handle(body));
}
