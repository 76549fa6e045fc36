import type { IssuingPolicy } from "@cairn/issue";
import type { CertificateId } from "@cairn/messages";
import type { CertificateRecord, IssuerStore } from "@cairn/stores";
import { money } from "../story.ts";
import type { Violation } from "./violation.ts";

const DAY_SECONDS = 86_400;

/** Looks at each certificate as it is issued: what a policy says is held against plain arithmetic of the watch's own. */
export class IssuingWatch {
  readonly #store: IssuerStore;
  readonly #policy: IssuingPolicy;
  readonly #report: (violation: Violation) => void;

  constructor(store: IssuerStore, policy: IssuingPolicy, report: (violation: Violation) => void) {
    this.#store = store;
    this.#policy = policy;
    this.#report = report;
  }

  /** After a write of the issuer's. */
  written(method: string, [certificateId]: readonly unknown[]): Promise<void> | undefined {
    return method === "recordIssued" ? this.#issued(certificateId as CertificateId) : undefined;
  }

  async #issued(certificateId: CertificateId): Promise<void> {
    const issued = await this.#store.certificate(certificateId);
    const its = issued && (await this.#store.account(issued.account));
    if (issued === undefined || its === undefined) return;
    const { account, issuedAt, protection } = issued;
    const { minimumProtection, limit } = this.#policy;
    if (protection < minimumProtection)
      this.#report({ promise: 5, says: `a key of account ${account} gets a certificate and is guarded too badly` });
    let dayMinor = 0n;
    for (const each of await this.#store.certificatesOf(account))
      if (each.issuedAt <= issuedAt && issuedAt - each.issuedAt < DAY_SECONDS) dayMinor += each.limitMinor;
    if (dayMinor > limit.perDayCapMinor)
      this.#report({ promise: 5, says: `account ${account} may spend ${money(dayMinor)} more offline within one day` });
    const { dues, usedMinor } = its.credit;
    let pastMinor = 0n;
    for (const { dueAt, minor } of dues) if (dueAt < issuedAt) pastMinor += minor;
    if (pastMinor > 0n && usedMinor > 0n)
      this.#report({ promise: 5, says: `account ${account} has not repaid its credit and gets a certificate` });
  }
}

/** What an honest device's certificate may still cost, at least: said here once more, so that a fault in the rule's own code shows. */
export function stillOwed(certificate: CertificateRecord, uploadDeadlineSeconds: number, now: number): bigint {
  const { closing, limitMinor, settledMinor, releasedMinor, expiresAt } = certificate;
  if (now > expiresAt + uploadDeadlineSeconds) return 0n;
  const leftMinor =
    closing === undefined ? limitMinor - settledMinor : closing.spentMinor - settledMinor - releasedMinor;
  return leftMinor > 0n ? leftMinor : 0n;
}
