import { compressedPoint } from "@cairn/cose";
import { type Currency, isRefusal, type Refusal, refusalFromError, sameBytes, trustAnchors } from "@cairn/messages";
import { type Refused, refused, refusedFor } from "./codes.ts";
import { judgeStatusList, judgeTrustList } from "./judge-lists.ts";
import { honestNow, type WalletPorts } from "./ports.ts";
import { rootKeyOf } from "./wallet.ts";
import type { StoredIdentity } from "./wallet-store.ts";

/** What a server answers to the enrolment of a device. */
export type EnrolmentAnswer = {
  readonly issuerId: string;
  readonly issuerName: string;
  /** Encoded COSE_Key. */
  readonly rootKey: Uint8Array;
  readonly trustList: Uint8Array;
  readonly statusList: Uint8Array;
  readonly currency: Currency;
};

export type Enrolled = { readonly kind: "enrolled"; readonly issuerName: string; readonly repeated: boolean };

/**
 * Makes this store the wallet of this device key at this issuer, and pins the issuer's root key for good. The lists
 * must be genuine under it. Again with the same key, issuer and root key: the same answer, nothing changes. With
 * others: ENROLLED_ELSEWHERE, because counters belong to one key.
 */
export async function acceptEnrolment(ports: WalletPorts, answer: EnrolmentAnswer): Promise<Enrolled | Refused> {
  const judged = await judgeEnrolment(ports, answer);
  if (isRefusal(judged)) return refusedFor(judged);
  return ports.store.commit<Enrolled | Refused>({ kind: "none" }, ({ identity }) => {
    if (identity === undefined) {
      const result: Enrolled = { kind: "enrolled", issuerName: judged.issuerName, repeated: false };
      return { result, writes: [{ kind: "identity", identity: judged }] };
    }
    const isSame =
      sameBytes(identity.deviceKey, judged.deviceKey) &&
      sameBytes(identity.rootKey, judged.rootKey) &&
      identity.issuerId === judged.issuerId &&
      identity.currency === judged.currency;
    if (!isSame) return { result: refused("ENROLLED_ELSEWHERE"), writes: [] };
    return { result: { kind: "enrolled", issuerName: identity.issuerName, repeated: true }, writes: [] };
  });
}

async function judgeEnrolment(
  { crypto, clock, signer }: WalletPorts,
  answer: EnrolmentAnswer,
): Promise<StoredIdentity | Refusal> {
  const rootKey = tryRootKey(answer.rootKey);
  if (isRefusal(rootKey)) return rootKey;
  const now = clock.nowSeconds();
  const trust = await judgeTrustList(answer.trustList, { rootKey, held: undefined, now }, crypto);
  if (isRefusal(trust)) return trust;
  const anchors = trustAnchors(trust, crypto);
  const later = honestNow(clock, trust.content.issuedAt);
  const status = await judgeStatusList(
    answer.statusList,
    { anchors, issuerId: answer.issuerId, held: undefined, now: later },
    crypto,
  );
  if (isRefusal(status)) return status;
  const { issuerId, issuerName, currency, rootKey: rootKeyBytes, trustList, statusList } = answer;
  const newestSeen = Math.max(trust.content.issuedAt, status.content.issuedAt);
  const deviceKey = compressedPoint(signer.publicKey);
  return { deviceKey, rootKey: rootKeyBytes, issuerId, issuerName, currency, trustList, statusList, newestSeen };
}

function tryRootKey(bytes: Uint8Array): ReturnType<typeof rootKeyOf> | Refusal {
  try {
    return rootKeyOf(bytes);
  } catch (error) {
    return refusalFromError(error);
  }
}
