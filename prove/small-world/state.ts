import type { Acceptance } from "@cairn/collect";
import type { CertificateId, MessageId, UserCertificate, Verified } from "@cairn/messages";
import type { Counter } from "@cairn/pay";
import type { ClosingFacts } from "@cairn/settle";
import { idOf, type Shown } from "./cast.ts";
import type { Issuer } from "./issuer.ts";

export type Held = {
  readonly certificate: Verified<UserCertificate>;
  readonly counter: Counter;
  readonly closed: boolean;
};
/** The device, or a copy of it. */
export type Image = {
  readonly held: readonly Held[];
  /** Durable, not yet signed: the wallet was stopped in between. */
  readonly drawer: Shown | undefined;
  /** Requests that it has answered. */
  readonly answered: readonly MessageId[];
};
export type TillState = {
  /** Oldest first. */
  readonly accepted: readonly Acceptance[];
  /** Request ids. */
  readonly voided: readonly MessageId[];
  /** When its status list was made, seconds since 1970, and the numbers of the certificates on it, one bit each. */
  readonly listAt: number;
  readonly listed: number;
};
export type SignedClosing = ClosingFacts & { readonly certificateId: CertificateId };
export type State = {
  /** Index of the moment. */
  readonly now: number;
  readonly images: readonly Image[];
  /** Requests answered so far. */
  readonly asked: number;
  readonly shown: readonly Shown[];
  readonly tills: readonly TillState[];
  readonly closings: readonly SignedClosing[];
  readonly issuer: Issuer;
};

/** Gives each issuer one object and one short number, so that what is worked out once about it is never again. */
export class Issuers {
  readonly #numbers = new Map<string, number>();
  readonly #issuers: Issuer[] = [];

  one(issuer: Issuer): Issuer {
    const number = this.number(issuer);
    return this.#issuers[number] ?? issuer;
  }

  number(issuer: Issuer): number {
    const known = this.#numbers.get(issuer.key);
    if (known !== undefined) return known;
    const number = this.#issuers.length;
    this.#numbers.set(issuer.key, number);
    this.#issuers.push(issuer);
    return number;
  }
}

export function imageKey({ held, drawer, answered }: Image): string {
  const chains = held.map(({ counter, closed }) => {
    const { sequence, spentMinor, previous, unsignedPayments } = counter;
    return `${sequence},${spentMinor},${previous.slice(0, 6)}${unsignedPayments > 0 ? "*" : ""}${closed ? "x" : ""}`;
  });
  return `${chains.join("&")}${drawer === undefined ? "" : `_${drawer.number}`}>${shortIds(answered)}`;
}

export function tillKey({ accepted, voided, listAt, listed }: TillState): string {
  const journal = accepted.map(
    ({ paymentId, takenMinor, acceptedAt }) => `${paymentId.slice(0, 6)}${takenMinor ?? "?"}@${acceptedAt}`,
  );
  return `${journal.join("+")}-${shortIds(voided)}-${listAt}-${listed}`;
}

const shortIds = (ids: readonly MessageId[]): string =>
  ids
    .map((id) => id.slice(0, 6))
    .toSorted()
    .join("+");

export function keyOf(state: State, issuers: Issuers): string {
  const { now, images, asked, shown, tills, closings, issuer } = state;
  return [
    now,
    images.map(imageKey).toSorted().join(";"),
    asked,
    shown
      .map(({ number }) => number)
      .toSorted((left, right) => left - right)
      .join("+"),
    tills.map(tillKey).join("|"),
    closings.map(({ messageId }) => messageId.slice(0, 6)).join("+"),
    issuers.number(issuer),
  ].join("/");
}

export const isShown = (state: State, one: Shown): boolean => state.shown.some((known) => idOf(known) === idOf(one));
