import { SIGNATURE_LENGTH } from "@cairn/cose";
import { decodeMessage, type MessageKind, type Prepared, signDecoded } from "@cairn/messages";
import type { WalletPorts } from "./ports.ts";

/**
 * What will be signed, in a form that survives a crash: the encoded message under a signature of zeros. A message's
 * identity never covers its signature, so signing a draft now or after a restart gives the same message.
 */
export function draftOf<Content>(prepared: Prepared<Content>): Uint8Array {
  return prepared.finish(new Uint8Array(SIGNATURE_LENGTH));
}

/** Signs what stands in a draft out of one's own store, and nothing else. Gives the encoded message. */
export async function signDraft<Content>(
  kind: MessageKind<Content>,
  draft: Uint8Array,
  { crypto, signer }: Pick<WalletPorts, "crypto" | "signer">,
): Promise<Uint8Array> {
  return (await signDecoded(decodeMessage(kind, draft, crypto), signer)).bytes;
}
