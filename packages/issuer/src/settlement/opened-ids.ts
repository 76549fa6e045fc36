import { type CertificateIdCipher, type OpenedCertificateId, openCertificateId } from "@cairn/issue";
import type { CertificateId } from "@cairn/messages";
import { RecentCache } from "./recent-cache.ts";

/** Ids of a busy hour; each is about a hundred bytes here. */
const REMEMBERED_IDS = 50_000;
const NOT_OURS = Symbol("not ours");

const remembered = new WeakMap<
  CertificateIdCipher,
  RecentCache<CertificateId, OpenedCertificateId | typeof NOT_OURS>
>();

/** As `openCertificateId`; deciphering costs more than remembering, and a certificate's id comes with each payment. */
export function openedId(id: CertificateId, cipher: CertificateIdCipher): OpenedCertificateId | undefined {
  let known = remembered.get(cipher);
  if (known === undefined) {
    known = new RecentCache(REMEMBERED_IDS);
    remembered.set(cipher, known);
  }
  let opened = known.get(id);
  if (opened === undefined) {
    opened = openCertificateId(id, cipher) ?? NOT_OURS;
    known.set(id, opened);
  }
  return opened === NOT_OURS ? undefined : opened;
}
