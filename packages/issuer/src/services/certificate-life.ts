import { type ExposurePolicy, exposureOf, holdOf } from "@cairn/issue";
import { type Currency, formatMinor } from "@cairn/messages";
import type { CertificateRecord, StoredOutcome } from "@cairn/stores";

/** What happened to a certificate, from what the store keeps of it. Codes are stable. */
export type LifeEventCode =
  | "ISSUED"
  | "SUPERSEDED"
  | "REVOKED"
  | "RESTORED"
  | "CONFLICT_PROVEN"
  | "CLOSED"
  | "PAYMENT_DECIDED"
  | "EXPIRED"
  | "DEADLINE_PASSED";

export type LifeEvent = {
  /** Seconds since 1970. */
  readonly at: number;
  readonly event: LifeEventCode;
  readonly sentence: string;
};

/** Where a certificate stands; of several that hold, the first in this order. */
export const LIFE_STATES = ["past-deadline", "in-conflict", "revoked", "closed", "expired", "open"] as const;

export type CertificateLife = {
  readonly state: (typeof LIFE_STATES)[number];
  /** What may still be settled, and what of it is held on the balance; minor units. */
  readonly exposureMinor: bigint;
  readonly heldMinor: bigint;
  /** In the order in which they happened. */
  readonly events: readonly LifeEvent[];
};

type Known = {
  /** All of the account's. */
  readonly certificates: readonly CertificateRecord[];
  /** What became of its payments. */
  readonly payments: readonly StoredOutcome[];
  readonly currency: Currency;
  readonly policy: ExposurePolicy;
  readonly now: number;
};

/** Explains a certificate's life by its log: every way into the state in which it is has an event. */
export function lifeOf(certificate: CertificateRecord, known: Known): CertificateLife {
  const { policy, now } = known;
  return {
    state: stateOf(certificate, policy, now),
    exposureMinor: exposureOf(certificate, policy, now),
    heldMinor: holdOf(certificate, policy, now),
    events: eventsOf(certificate, known)
      .filter(({ at }) => at <= now)
      // Events of one second stay in the order in which they are collected: causes before effects.
      .toSorted((left, right) => left.at - right.at),
  };
}

export function stateOf(
  certificate: CertificateRecord,
  { uploadDeadlineSeconds }: ExposurePolicy,
  now: number,
): CertificateLife["state"] {
  if (now > certificate.expiresAt + uploadDeadlineSeconds) return "past-deadline";
  if (certificate.conflict !== undefined) return "in-conflict";
  if (certificate.revokedAt !== undefined) return "revoked";
  if (certificate.closing !== undefined) return "closed";
  return now > certificate.expiresAt ? "expired" : "open";
}

function eventsOf(certificate: CertificateRecord, { certificates, payments, currency, policy }: Known): LifeEvent[] {
  const { deviceId, serial, changes, closing, conflict, expiresAt } = certificate;
  const money = (minor: bigint): string => `${formatMinor(minor, currency)} ${currency}`;
  const successor = certificates.find((other) => other.deviceId === deviceId && other.serial > serial);
  const events: LifeEvent[] = [
    { at: certificate.issuedAt, event: "ISSUED", sentence: issuedSentence(certificate, money) },
    ...payments.map((outcome) => paymentEvent(outcome, money)),
  ];
  if (conflict !== undefined)
    events.push({
      at: conflict.provenAt,
      event: "CONFLICT_PROVEN",
      sentence: `Two messages of the device contradict each other (${conflict.kind}): ${conflict.first} and ${conflict.second}.`,
    });
  for (const { change, at, reason } of changes)
    events.push(
      change === "revoked"
        ? { at, event: "REVOKED", sentence: `Revoked: ${reason}` }
        : { at, event: "RESTORED", sentence: "The revocation was a mistake and is taken back." },
    );
  if (closing !== undefined)
    events.push({
      at: closing.closedAt,
      event: "CLOSED",
      sentence: `The device closed it after ${closing.sequence} payments over ${money(closing.spentMinor)}.`,
    });
  if (successor !== undefined)
    events.push({
      at: successor.issuedAt,
      event: "SUPERSEDED",
      sentence: `The device was given a newer one, ${successor.certificateId}.`,
    });
  events.push(
    { at: expiresAt + 1, event: "EXPIRED", sentence: "Its validity ended: terminals accept nothing more under it." },
    {
      at: expiresAt + policy.uploadDeadlineSeconds + 1,
      event: "DEADLINE_PASSED",
      sentence: "The upload deadline passed: nothing more is settled under it, and what it held is free.",
    },
  );
  return events;
}

function issuedSentence(certificate: CertificateRecord, money: (minor: bigint) => string): string {
  const explanation: unknown = JSON.parse(certificate.explanation);
  const { reasons, policy, event } = readExplanation(explanation);
  const because = reasons.length === 0 ? "" : ` because of ${reasons.join(", ")}`;
  const by = event === undefined ? "" : ` at ${event}`;
  const under = policy === undefined ? "" : `, under policy ${policy}`;
  return `Issued over ${money(certificate.limitMinor)}, ${money(certificate.heldMinor)} held,${because}${by}${under}.`;
}

/** What of a stored explanation is told in a sentence; certificates of earlier versions have less. */
function readExplanation(explanation: unknown): {
  readonly reasons: readonly string[];
  readonly policy: string | undefined;
  readonly event: string | undefined;
} {
  const { reasons, policy, event } = fieldsOf(explanation);
  const { version, fingerprint } = fieldsOf(policy);
  const { kind, cause } = fieldsOf(event);
  return {
    reasons: Array.isArray(reasons) ? reasons.map((reason: unknown) => String(fieldsOf(reason).code)) : [],
    policy: typeof fingerprint === "string" ? `"${version}" (${fingerprint})` : undefined,
    event: typeof cause === "string" ? cause : typeof kind === "string" ? kind : undefined,
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function paymentEvent(outcome: StoredOutcome, money: (minor: bigint) => string): LifeEvent {
  const { paymentId, state, code, funding, amountMinor, takenMinor, decidedAt } = outcome;
  const from =
    funding === undefined
      ? ""
      : ` of ${money(takenMinor)} from balance ${money(funding.balanceMinor)}, credit ${money(funding.creditMinor)}, reserve ${money(funding.reserveMinor)}`;
  const why = code === undefined ? "" : ` (${code})`;
  return {
    at: decidedAt,
    event: "PAYMENT_DECIDED",
    sentence: `Payment ${paymentId} over ${money(amountMinor)}: ${state}${from}${why}.`,
  };
}
