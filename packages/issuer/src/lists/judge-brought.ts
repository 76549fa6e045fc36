import { type CryptoPort, publicKeysEqual } from "@cairn/cose";
import {
  decodeMessage,
  isRefusal,
  keyIdOf,
  type Refusal,
  refusal,
  refusalFromError,
  refuseTrustList,
  type TrustList,
  trustList,
  type Verified,
  verifyUnder,
} from "@cairn/messages";
import type { IssuerKeys } from "../keys/issuer-keys.ts";
import { ServiceError } from "../services/service-error.ts";

type Against = {
  readonly keys: IssuerKeys;
  readonly crypto: CryptoPort;
  readonly held: Verified<TrustList> | undefined;
  readonly now: number;
};

/** A trust list that an operator brings from the offline root. @throws ServiceError TRUST_LIST_REFUSED */
export async function judgeBrought(bytes: Uint8Array, against: Against): Promise<Verified<TrustList>> {
  const judged = await judge(bytes, against);
  if (isRefusal(judged))
    throw new ServiceError("TRUST_LIST_REFUSED", [judged.code, judged.detail].filter(Boolean).join(": "));
  return judged;
}

async function judge(bytes: Uint8Array, { keys, crypto, held, now }: Against): Promise<Verified<TrustList> | Refusal> {
  if (keys.rootSigner !== undefined) return refusal("ISSUER_UNKNOWN", "this issuer signs its own list");
  try {
    const decoded = decodeMessage(trustList, bytes, crypto);
    if (decoded.unverified.rootKeyId !== keyIdOf(keys.rootKey, crypto))
      return refusal("ISSUER_UNKNOWN", "another root key");
    const list = await verifyUnder(decoded, keys.rootKey, crypto);
    if (isRefusal(list)) return list;
    const ours = keys.all().filter(({ withdrawnAt }) => withdrawnAt === undefined);
    const names = list.content.keys.some(({ key }) =>
      ours.some(({ signer }) => publicKeysEqual(signer.publicKey, key)),
    );
    if (!names) return refusal("ISSUER_UNKNOWN", "none of this issuer's keys is in it");
    return refuseTrustList(list, { held, now: Math.max(now, list.content.issuedAt) }) ?? list;
  } catch (error) {
    return refusalFromError(error);
  }
}
