import {
  type Decoded,
  type IssuerId,
  isRefusal,
  type Refusal,
  refusal,
  type StatusList,
  type UserCertificate,
  type Verified,
  verifyUserCertificate,
} from "@cairn/messages";
import { refuseHeldStatusList, type Setup, type TerminalContext } from "./setup.ts";

/** A genuine certificate and who issued it; `guestIssuerId` undefined: the terminal's own issuer. */
export type FromIssuer = {
  readonly certificate: Verified<UserCertificate>;
  readonly guestIssuerId: IssuerId | undefined;
};

/**
 * Verifies a payer's certificate under the keys of the own issuer, or of a guest that has been joined. An issuer that is
 * in the trust list but was not joined is refused: its server would not take what this terminal uploads.
 */
export async function verifyPayer(
  decoded: Decoded<UserCertificate>,
  setup: Setup,
  { crypto }: Pick<TerminalContext, "crypto">,
): Promise<FromIssuer | Refusal> {
  const { anchors } = setup;
  const named = (anchors.keysById.get(decoded.unverified.issuerKeyId) ?? []).map(({ issuerId }) => issuerId);
  const joined = [setup.issuerId, ...setup.guests.map(({ issuerId }) => issuerId)].filter((id) => named.includes(id));
  let last = named.length === 0 ? undefined : refusal("ISSUER_UNKNOWN", `${named.join()} was not joined`);
  for (const issuerId of joined) {
    const certificate = await verifyUserCertificate(decoded, { anchors, crypto, issuerId });
    if (!isRefusal(certificate))
      return { certificate, guestIssuerId: issuerId === setup.issuerId ? undefined : issuerId };
    last = certificate;
  }
  return last ?? refusal("ISSUER_UNKNOWN", `key ${decoded.unverified.issuerKeyId}`);
}

/** The status list that says which certificates of this issuer are withdrawn. */
export function statusListOf(setup: Setup, guestIssuerId: IssuerId | undefined): Verified<StatusList> {
  const guest = setup.guests.find(({ issuerId }) => issuerId === guestIssuerId);
  return guest?.statusList ?? setup.statusList;
}

/** One issuer whose payers this terminal can serve. */
export type AcceptedIssuer = {
  readonly issuerId: IssuerId;
  /** From the trust list; the id where the list names it no more, and then its payers are refused. */
  readonly name: string;
  readonly isTrusted: boolean;
  /** Where uploads go; undefined for the own issuer, whose address whoever enrolled the terminal knows. */
  readonly url: string | undefined;
  readonly guestIssuerId: IssuerId | undefined;
  readonly statusListAgeSeconds: number;
  readonly isStatusListStale: boolean;
};

/** The own issuer first. @throws CollectError NOT_ENROLLED */
export async function acceptedIssuers(context: TerminalContext): Promise<readonly AcceptedIssuer[]> {
  const { setup, now } = await context.hold();
  const { terms } = setup.payeeCertificate.content;
  const own = { issuerId: setup.issuerId, url: undefined, guestIssuerId: undefined };
  const guests = setup.guests.map(({ issuerId, url }) => ({ issuerId, url, guestIssuerId: issuerId }));
  return [own, ...guests].map((issuer) => {
    const trusted = setup.anchors.list.content.keys.find(({ issuerId }) => issuerId === issuer.issuerId);
    const list = statusListOf(setup, issuer.guestIssuerId).content;
    return {
      ...issuer,
      name: trusted?.issuerName ?? issuer.issuerId,
      isTrusted: trusted !== undefined,
      statusListAgeSeconds: now - list.issuedAt,
      isStatusListStale: refuseHeldStatusList(list, terms, now) !== undefined,
    };
  });
}
