import { type CertificateIdCipher, type OpenedCertificateId, openCertificateId } from "@cairn/issue";
import type { CertificateId } from "@cairn/messages";
import { RecentCache } from "./recent-cache.ts";

/** Ids of a busy hour; each is about a hundred bytes here. */
const REMEMBERED_IDS = 50_000;
const NOT_OURS = Symbol("not ours");

type Opened = RecentCache<CertificateId, OpenedCertificateId | typeof NOT_OURS>;
const remembered = new WeakMap<CertificateIdCipher, Opened>();
/** Programs have one cipher, and ask by it all the time. */
let asked: { readonly cipher: CertificateIdCipher; readonly known: Opened } | undefined;

/** As `openCertificateId`; deciphering costs more than remembering, and a certificate's id comes with each payment. */
export function openedId(id: CertificateId, cipher: CertificateIdCipher): OpenedCertificateId | undefined {
  if (asked?.cipher !== cipher) asked = { cipher, known: openedBy(cipher) };
  const { known } = asked;
  let opened = known.get(id);
  if (opened === undefined) {
    opened = openCertificateId(id, cipher) ?? NOT_OURS;
    known.set(id, opened);
  }
  return opened === NOT_OURS ? undefined : opened;
}

function openedBy(cipher: CertificateIdCipher): Opened {
  const known = remembered.get(cipher);
  if (known !== undefined) return known;
  const made: Opened = new RecentCache(REMEMBERED_IDS);
  remembered.set(cipher, made);
  return made;
}
