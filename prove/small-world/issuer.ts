import {
  type CertificateView,
  type DeviceView,
  decideIssuance,
  type IssuingPolicy,
  type IssuingView,
  openExposure,
  openHold,
} from "@cairn/issue";
import { type CertificateId, currency, type RequestHash, type UserCertificate, type Verified } from "@cairn/messages";
import {
  type CertificateState,
  type ClosingFacts,
  decideWithdrawal,
  judgeClosing,
  type SettlementItem,
  type SettlementOutcome,
} from "@cairn/settle";
import { ACCOUNT, POLICY, World } from "../../packages/settle/test/world.ts";
import { BALANCE_MINOR, CREDIT_MINOR, certificateOf, LIMIT_MINOR, NOW } from "./cast.ts";
import { ceilingBroken } from "./ceiling.ts";
import { issuerKey } from "./issuer-key.ts";

/** What the issuer keeps of a certificate beside what settlement reads. */
type Issued = {
  readonly number: number;
  readonly certificate: Verified<UserCertificate>;
  readonly allowanceMinor: bigint;
  readonly heldMinor: bigint;
  readonly settledMinor: bigint;
  readonly releasedMinor: bigint;
};
type Parts = {
  readonly world: World;
  readonly issued: readonly Issued[];
  readonly withdrawnMinor: bigint;
  /** What a settlement broke that is not to be seen in the books afterwards. */
  readonly broken: readonly string[];
};

const EUR = currency("EUR");
const DEVICE = "00".repeat(8) as DeviceView["deviceId"];

/**
 * The issuer at one moment: the decisions that ship, over books in memory. Never changes; each answer is another one.
 * Two with one key are the same.
 */
export class Issuer {
  readonly #parts: Parts;
  #key: string | undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  static first(now: number): Issuer {
    const world = new World({ balanceMinor: BALANCE_MINOR, creditMinor: CREDIT_MINOR, certificates: [] });
    const empty = new Issuer({ world, issued: [], withdrawnMinor: 0n, broken: [] });
    return empty.#withCertificate(certificateOf(0, LIMIT_MINOR, now), {
      allowanceMinor: BALANCE_MINOR + CREDIT_MINOR,
      heldMinor: LIMIT_MINOR,
    });
  }

  get entries() {
    return this.#parts.world.entries;
  }
  get issued(): readonly Issued[] {
    return this.#parts.issued;
  }
  get withdrawnMinor(): bigint {
    return this.#parts.withdrawnMinor;
  }
  get broken(): readonly string[] {
    return this.#parts.broken;
  }
  get lossMinor(): bigint {
    return this.#parts.world.total("loss-reserve");
  }
  get clearingMinor(): bigint {
    return -this.#parts.world.total("clearing");
  }
  get funds() {
    const funds = this.#parts.world.funds.get(ACCOUNT);
    if (funds === undefined) throw new Error("The account is gone.");
    return funds;
  }
  state(certificateId: CertificateId): CertificateState {
    const state = this.#parts.world.certificates.get(certificateId);
    if (state === undefined) throw new Error("There is no such certificate.");
    return state;
  }
  get states(): readonly CertificateState[] {
    return [...this.#parts.world.certificates.values()];
  }

  settle(
    items: readonly SettlementItem[],
    now: number,
  ): { readonly issuer: Issuer; readonly outcomes: readonly SettlementOutcome[] } {
    const world = this.#copy();
    const { outcomes, exposures } = world.settle(items, now);
    // As stores do: what a batch changed of a certificate's exposure is added to what was settled and given back before.
    const issued = this.issued.map((one) => {
      const { certificateId } = one.certificate.content;
      let { settledMinor, releasedMinor } = one;
      for (const change of exposures) {
        if (change.certificateId !== certificateId) continue;
        settledMinor += change.settledMinor;
        releasedMinor += change.releasedMinor;
      }
      return { ...one, settledMinor, releasedMinor };
    });
    const broken = [
      ...this.broken,
      ...(items.length === 1 ? ceilingBroken(this.states, [...world.certificates.values()]) : []),
    ];
    return { issuer: new Issuer({ ...this.#parts, world, issued, broken }), outcomes };
  }

  hasVoid(requestHash: RequestHash): boolean {
    return this.#parts.world.voidedRequests.has(requestHash);
  }

  hearVoid(requestHash: RequestHash): Issuer {
    const world = this.#copy();
    world.voidedRequests.add(requestHash);
    return new Issuer({ ...this.#parts, world });
  }

  hearClosing(certificateId: CertificateId, closing: ClosingFacts, now: number): Issuer {
    const before = this.state(certificateId);
    const { answer, conflict } = judgeClosing(before, closing, now);
    const blamed = conflict === undefined ? {} : { conflict, revokedAt: before.revokedAt ?? now };
    return this.#changed({ ...before, ...(answer === "recorded" ? { closing } : {}), ...blamed });
  }

  revoke(certificateId: CertificateId, now: number): Issuer {
    const before = this.state(certificateId);
    return this.#changed({ ...before, revokedAt: before.revokedAt ?? now });
  }

  /** As a store does it: what is pending past its deadline or for a voided request goes back to the payer. */
  releaseDue(now: number): Issuer {
    const world = this.#copy();
    const back = new Map<CertificateId, bigint>();
    for (const state of world.certificates.values()) {
      const payments = state.payments.map((payment) => {
        const isVoided = payment.requestHash !== undefined && world.voidedRequests.has(payment.requestHash);
        const isLate = now > state.expiresAt + POLICY.uploadDeadlineSeconds;
        if (payment.state !== "pending" || !(isVoided || isLate)) return payment;
        back.set(state.certificateId, (back.get(state.certificateId) ?? 0n) + payment.amountMinor);
        return { ...payment, state: "released", code: isVoided ? "REQUEST_VOIDED" : "NOT_UPLOADED_IN_TIME" } as const;
      });
      world.certificates.set(state.certificateId, { ...state, payments });
    }
    if (back.size === 0) return this;
    const issued = this.issued.map((one) => ({
      ...one,
      releasedMinor: one.releasedMinor + (back.get(one.certificate.content.certificateId) ?? 0n),
    }));
    return new Issuer({ ...this.#parts, world, issued });
  }

  /** Another certificate, if the issuing decision gives one now. */
  issue(
    policy: IssuingPolicy,
    now: number,
  ): { readonly issuer: Issuer; readonly certificate: Verified<UserCertificate> } | undefined {
    const decision = decideIssuance({ view: this.#view(now), event: { kind: "requested-ahead" }, policy, now });
    if (decision.kind !== "issue") return undefined;
    const { allowanceMinor } = decision.computation;
    const certificate = certificateOf(this.issued.length, decision.terms.limitMinor, now);
    return {
      issuer: this.#withCertificate(certificate, { allowanceMinor, heldMinor: decision.heldMinor }),
      certificate,
    };
  }

  /** The owner draws one coin, if the decision lets it go. */
  withdraw(policy: IssuingPolicy, now: number): Issuer | undefined {
    const { balanceMinor, creditAvailableMinor } = this.funds;
    const decided = decideWithdrawal({
      funds: {
        account: ACCOUNT,
        currency: EUR,
        status: "active",
        balanceMinor,
        creditLineMinor: CREDIT_MINOR,
        creditUsedMinor: CREDIT_MINOR - creditAvailableMinor,
        overdueMinor: 0n,
        heldMinor: openHold(this.#views(), policy, now),
      },
      amountMinor: 1n,
      idempotencyKey: String(this.withdrawnMinor),
      at: now,
    });
    if ("refusal" in decided) return undefined;
    const world = this.#copy();
    world.entries.push(decided.entry);
    world.funds.set(ACCOUNT, { ...this.funds, balanceMinor: balanceMinor - 1n });
    return new Issuer({ ...this.#parts, world, withdrawnMinor: this.withdrawnMinor + 1n });
  }

  /** What may still be settled under all certificates. */
  exposure(policy: IssuingPolicy, now: number): bigint {
    return openExposure(this.#views(), policy, now);
  }

  get key(): string {
    this.#key ??= issuerKey(this, this.#parts.world);
    return this.#key;
  }

  #view(now: number): IssuingView {
    const { balanceMinor, creditAvailableMinor } = this.funds;
    const unresolvedConflicts = this.states.filter(({ conflict }) => conflict !== undefined).length;
    return {
      account: {
        account: ACCOUNT as IssuingView["account"]["account"],
        status: "active",
        currency: EUR,
        balanceMinor,
        credit: {
          lineMinor: CREDIT_MINOR,
          usedMinor: CREDIT_MINOR - creditAvailableMinor,
          overdueMinor: 0n,
          dues: [],
          scoreBand: "A",
          informedAt: now,
        },
        unresolvedConflicts,
      },
      device: { deviceId: DEVICE, status: "active", protection: 2, replacesDeviceId: undefined, enrolledAt: NOW },
      certificates: this.#views(),
    };
  }

  #views(): CertificateView[] {
    return this.issued.map(({ certificate, allowanceMinor, heldMinor, settledMinor, releasedMinor }) => {
      const { certificateId, issuedAt, expiresAt } = certificate.content;
      const { revokedAt, closing, limitMinor } = this.state(certificateId);
      return {
        certificateId,
        deviceId: DEVICE,
        issuedAt,
        expiresAt,
        limitMinor,
        allowanceMinor,
        protection: 2,
        heldMinor,
        issuedAhead: false,
        settledMinor,
        releasedMinor,
        revokedAt,
        restoredAt: undefined,
        closing: closing === undefined ? undefined : { ...closing, closedAt: issuedAt },
      };
    });
  }

  #withCertificate(
    certificate: Verified<UserCertificate>,
    { allowanceMinor, heldMinor }: Pick<Issued, "allowanceMinor" | "heldMinor">,
  ): Issuer {
    const { certificateId, issuedAt, expiresAt, terms } = certificate.content;
    const world = this.#copy();
    const state = { certificateId, limitMinor: terms.limitMinor, issuedAt, expiresAt };
    for (const fresh of new World({ certificates: [state] }).certificates.values())
      world.certificates.set(certificateId, fresh);
    const number = this.issued.length;
    const issued = [
      ...this.issued,
      { number, certificate, allowanceMinor, heldMinor, settledMinor: 0n, releasedMinor: 0n },
    ];
    return new Issuer({ ...this.#parts, world, issued });
  }

  #changed(state: CertificateState): Issuer {
    const world = this.#copy();
    world.certificates.set(state.certificateId, state);
    return new Issuer({ ...this.#parts, world });
  }

  #copy(): World {
    const { world } = this.#parts;
    const copy = new World({ certificates: [] });
    for (const [id, state] of world.certificates) copy.certificates.set(id, state);
    for (const [account, funds] of world.funds) copy.funds.set(account, funds);
    for (const hash of world.voidedRequests) copy.voidedRequests.add(hash);
    copy.entries.push(...world.entries);
    return copy;
  }
}
