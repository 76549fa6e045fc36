import { type CryptoPort, decodeCbor, finishSign1, SIGNATURE_LENGTH } from "@cairn/cose";
import {
  type ConditionsInput,
  decideIssuance,
  type IssuanceDecision,
  type IssuanceEvent,
  prepareCertificate,
  sealCertificateId,
} from "@cairn/issue";
import {
  type CertificateId,
  decodeMessage,
  MessageError,
  type Prepared,
  prepareMessage,
  signPrepared,
  toHex,
  type UserCertificate,
  userCertificate,
} from "@cairn/messages";
import type { AccountRecord, CertificateRecord, DeviceRecord, IssuerStore, PreparedCertificate } from "@cairn/stores";
import type { IssuerKeys } from "../keys/issuer-keys.ts";
import type { PolicyInForce, PolicySource } from "../policy/policy-source.ts";
import type { Clock } from "../ports.ts";
import { storedKey } from "./callers.ts";
import type { Logger } from "./logger.ts";

export type IssuingContext = {
  readonly store: IssuerStore;
  readonly keys: Pick<IssuerKeys, "active" | "byId" | "certificateIdCipher">;
  readonly policies: PolicySource;
  readonly crypto: CryptoPort;
  readonly clock: Clock;
  readonly log: Logger;
};
/** What was decided, and on what: the certificates are those before this decision. */
export type DecidedOn = {
  readonly decision: IssuanceDecision;
  readonly account: AccountRecord;
  readonly certificates: readonly CertificateRecord[];
};
type Decided = DecidedOn & { readonly prepared: Prepared<UserCertificate> | undefined };
export type Issued = { readonly certificateId: CertificateId; readonly bytes: Uint8Array };

/**
 * Looks first, as most who ask are issued nothing, and that is no write. What may be issued is decided anew under the
 * account's lock: stores what will be signed, then signs it, then stores the signed bytes. A crash in between leaves a
 * certificate that {@link finishSigning} completes: it counts as issued from the moment it was stored.
 */
export async function issueCertificate(
  device: DeviceRecord,
  event: IssuanceEvent,
  context: IssuingContext,
): Promise<DecidedOn & { readonly issued: Issued | undefined }> {
  const { store, keys, policies, crypto, clock } = context;
  const now = clock.nowSeconds();
  const inForce = policies.at(now);
  const seen = await decideOnSight(device, { event, policy: inForce.policy, now }, store);
  if (seen !== undefined && seen.decision.kind !== "issue") return { ...seen, issued: undefined };
  const { prepared, ...decided } = await store.prepareCertificate<Decided>(device.account, device.deviceId, (view) => {
    const decision = decideIssuance({ view, event, policy: inForce.policy, now });
    const { account, certificates } = view;
    if (decision.kind !== "issue") return { result: { decision, account, certificates, prepared: undefined } };
    const prepared = prepareCertificate(decision.terms, {
      issuerKeyId: keys.active(now).keyId,
      deviceKey: storedKey(device.publicKey),
      certificateId: sealCertificateId({ account: account.account, serial: view.nextSerial }, keys.certificateIdCipher),
      statusIndex: view.statusIndex,
      now,
      crypto,
    });
    return {
      result: { decision, account, certificates, prepared },
      prepared: rowOf(prepared, { decision, event, inForce, deviceId: device.deviceId, serial: view.nextSerial }),
    };
  });
  return { ...decided, issued: prepared === undefined ? undefined : await signAndRecord(prepared, context) };
}

/** Without the lock: good enough to issue nothing. Undefined without an account. */
async function decideOnSight(
  device: DeviceRecord,
  about: Omit<ConditionsInput, "view">,
  store: IssuerStore,
): Promise<DecidedOn | undefined> {
  const [account, certificates] = await Promise.all([
    store.account(device.account),
    store.certificatesOf(device.account),
  ]);
  if (account === undefined) return undefined;
  return { decision: decideIssuance({ ...about, view: { account, device, certificates } }), account, certificates };
}

/** The bytes of a certificate of the store: as they are, or signed now when a crash came before the signature. */
export async function finishSigning(record: CertificateRecord, context: IssuingContext): Promise<Uint8Array> {
  if (record.bytes !== undefined) return record.bytes;
  const prepared = restorePrepared(record.toBeSigned, context.crypto);
  context.log.info({ certificateId: record.certificateId }, "signing a certificate that was prepared before");
  return (await signAndRecord(prepared, context)).bytes;
}

async function signAndRecord(prepared: Prepared<UserCertificate>, context: IssuingContext): Promise<Issued> {
  const { certificateId, issuerKeyId } = prepared.content;
  const key = context.keys.byId(issuerKeyId);
  if (key === undefined) throw new Error(`The issuer key ${issuerKeyId} of a prepared certificate is gone.`);
  const { bytes } = await signPrepared(prepared, key.signer);
  await context.store.recordIssued(certificateId, bytes);
  const { limitMinor } = prepared.content.terms;
  context.log.info({ certificateId, limitMinor: limitMinor.toString() }, "certificate issued");
  return { certificateId, bytes };
}

function rowOf(
  prepared: Prepared<UserCertificate>,
  about: {
    readonly decision: IssuanceDecision & { readonly kind: "issue" };
    readonly event: IssuanceEvent;
    readonly inForce: PolicyInForce;
    readonly deviceId: DeviceRecord["deviceId"];
    readonly serial: number;
  },
): PreparedCertificate {
  const { certificateId, issuedAt, expiresAt, terms } = prepared.content;
  return {
    certificateId,
    serial: about.serial,
    statusIndex: terms.statusIndex,
    deviceId: about.deviceId,
    messageId: prepared.messageId,
    toBeSigned: prepared.toBeSigned,
    limitMinor: terms.limitMinor,
    allowanceMinor: about.decision.computation.allowanceMinor,
    perPaymentCapMinor: terms.perPaymentCapMinor,
    heldMinor: about.decision.heldMinor,
    issuedAhead: about.decision.issuedAhead,
    protection: terms.protection,
    issuedAt,
    expiresAt,
    explanation: explain(about),
  };
}

/** As JSON has it: amounts are texts. */
type Written<Value> = Value extends bigint
  ? string
  : Value extends object
    ? { readonly [Name in keyof Value]: Written<Value[Name]> }
    : Value;

/** The decision, what set it off and under which policy it was made. Laid out by hand: asking JSON for each value takes several times as long. */
function explain({
  decision,
  event,
  inForce: { policy, fingerprint },
}: {
  readonly decision: IssuanceDecision & { readonly kind: "issue" };
  readonly event: IssuanceEvent;
  readonly inForce: PolicyInForce;
}): string {
  const { terms, computation } = decision;
  const written: Written<typeof decision> = {
    ...decision,
    heldMinor: decision.heldMinor.toString(),
    terms: {
      ...terms,
      limitMinor: terms.limitMinor.toString(),
      perPaymentCapMinor: terms.perPaymentCapMinor.toString(),
    },
    computation: {
      limitMinor: computation.limitMinor.toString(),
      perPaymentCapMinor: computation.perPaymentCapMinor.toString(),
      allowanceMinor: computation.allowanceMinor.toString(),
      balanceShareMinor: computation.balanceShareMinor.toString(),
      roomMinor: computation.roomMinor.toString(),
      accountRoomMinor: computation.accountRoomMinor.toString(),
      levelRoomMinor: computation.levelRoomMinor.toString(),
      dailyRoomMinor: computation.dailyRoomMinor.toString(),
      lines: computation.lines.map(({ label, minor, note }) => ({ label, minor: minor.toString(), note })),
    },
  };
  return JSON.stringify({ ...written, event, policy: { version: policy.version, fingerprint } });
}

/** A Sig_structure (RFC 9052 section 4.4) holds header and payload: enough to prepare the very same message again. */
function restorePrepared(toBeSigned: Uint8Array, crypto: CryptoPort): Prepared<UserCertificate> {
  const structure = decodeCbor(toBeSigned);
  const [, protectedBytes, , payload] = Array.isArray(structure) ? structure : [];
  if (!(protectedBytes instanceof Uint8Array) || !(payload instanceof Uint8Array))
    throw new MessageError("BUNDLE_MALFORMED", "prepared certificate");
  const draft = finishSign1({ toBeSigned, protectedBytes, payload, tagged: false }, new Uint8Array(SIGNATURE_LENGTH));
  const prepared = prepareMessage(userCertificate, decodeMessage(userCertificate, draft, crypto).unverified, crypto);
  if (toHex(prepared.toBeSigned) !== toHex(toBeSigned))
    throw new MessageError("MESSAGE_INCONSISTENT", "prepared certificate");
  return prepared;
}
