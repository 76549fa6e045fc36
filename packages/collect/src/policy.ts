/** What the payee decides for itself. */
export type CollectPolicy = {
  /**
   * When the status list is older than the payee certificate's `maximumOfflineSeconds`: refuse payments, or accept
   * them unguaranteed, because the certificate may have been withdrawn long ago.
   */
  readonly whenStale: "refuse" | "at-own-risk";
  /** How long a payment request can be answered unless `charge` says otherwise. */
  readonly requestValiditySeconds: number;
  /**
   * What an open payment is captured for when `acceptOpen` is not told: a flat fare. Without it such a payment stays
   * uncaptured, is reported as such and cannot be uploaded before `capture` fixes its amount.
   */
  readonly defaultCaptureMinor: bigint | undefined;
};

/** Five minutes: a queue at a till with a payer who has to look for the phone. */
export const DEFAULT_COLLECT_POLICY: CollectPolicy = {
  whenStale: "refuse",
  requestValiditySeconds: 300,
  defaultCaptureMinor: undefined,
};

/** Refused payments kept as evidence in one journal: about 1 MB. Those beyond are only counted, so that nobody can fill the disk. */
export const MAXIMUM_REFUSED_KEPT = 1_000;

/** Of one certificate: more prove nothing more, and one attacker must not use up the room of all. */
export const MAXIMUM_REFUSED_KEPT_PER_CERTIFICATE = 16;
