import { type IssuingPolicy, policyText, readKeptPolicy } from "@cairn/issue";
import type { IssuerStore } from "@cairn/stores";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Clock } from "../ports.ts";
import type { Logger } from "../services/logger.ts";
import { PolicyFileError, parsePolicy, readPolicyText } from "./policy-file.ts";
import { fingerprintOf, type PolicyInForce, type PolicySource } from "./policy-source.ts";

export type PoliciesContext = {
  readonly store: Pick<IssuerStore, "move" | "operationRecords">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Watched while the server runs. Without it `policy` is in force for good. */
  readonly file: string | undefined;
  readonly policy: IssuingPolicy;
};

/** A policy that is or was in force, and from when on, each time; seconds since 1970. */
export type PolicyRecord = PolicyInForce & { readonly inForceFrom: readonly number[] };
export type PolicyFailure = { readonly error: PolicyFileError; readonly at: number };

/** What settlement asks of the policy, as it is when it asks. */
export function settlementPolicy(policies: PolicySource, clock: Clock): { readonly uploadDeadlineSeconds: number } {
  return {
    get uploadDeadlineSeconds() {
      return policies.at(clock.nowSeconds()).policy.uploadDeadlineSeconds;
    },
  };
}

const Body = Type.Object({ policy: Type.Unknown(), inForceFrom: Type.Array(Type.Integer(), { minItems: 1 }) });
const PARTITION = 0;

/**
 * The issuing policy of a running server, and those before it. A file that changed is read anew; one that cannot be used
 * leaves the policy in force as it is. Every policy is stored before it decides anything, so that the fingerprint that
 * each certificate keeps can be looked up for ever.
 */
export class Policies implements PolicySource {
  readonly #context: PoliciesContext;
  #text: string | undefined;
  #records: readonly PolicyRecord[] = [];
  #inForce: PolicyInForce;
  #failure: PolicyFailure | undefined;
  /** What the last look found wrong. */
  #suspected: string | undefined;
  #following: Promise<boolean> = Promise.resolve(false);

  private constructor(context: PoliciesContext, inForce: PolicyInForce, text: string | undefined) {
    this.#context = context;
    this.#inForce = inForce;
    this.#text = text;
  }

  /** @throws PolicyFileError when the file cannot be used: a server does not start on a policy that nobody meant. */
  static async open(context: PoliciesContext): Promise<Policies> {
    const text = context.file === undefined ? undefined : await readPolicyText(context.file);
    const policy = text === undefined ? context.policy : parsePolicy(text);
    const policies = new Policies(context, { policy, fingerprint: fingerprintOf(policy) }, text);
    await policies.#enforce(policy);
    return policies;
  }

  at(now: number): PolicyInForce {
    const uploadDeadlineSeconds = this.#deadlineAt(now);
    const { policy, fingerprint } = this.#inForce;
    return uploadDeadlineSeconds === policy.uploadDeadlineSeconds
      ? this.#inForce
      : { policy: { ...policy, uploadDeadlineSeconds }, fingerprint };
  }

  /** Why the file as it is now is not in force; undefined when it is. */
  get failure(): PolicyFailure | undefined {
    return this.#failure;
  }

  get file(): string | undefined {
    return this.#context.file;
  }

  /** All that were ever in force, the one that came into force last at the end. */
  get records(): readonly PolicyRecord[] {
    return this.#records;
  }

  /** Looks at the file. True when another policy came into force. */
  follow(): Promise<boolean> {
    this.#following = this.#following.then(() => this.#follow());
    return this.#following;
  }

  async #follow(): Promise<boolean> {
    const { file, clock, log } = this.#context;
    if (file === undefined) return false;
    try {
      const text = await readPolicyText(file);
      if (text === this.#text && this.#failure === undefined) return false;
      const policy = parsePolicy(text);
      const isOther = fingerprintOf(policy) !== this.#inForce.fingerprint;
      if (isOther) await this.#enforce(policy);
      this.#text = text;
      this.#failure = undefined;
      this.#suspected = undefined;
      if (isOther)
        log.info({ policy: policy.version, fingerprint: this.#inForce.fingerprint }, "a new policy is in force");
      return isOther;
    } catch (error) {
      if (!(error instanceof PolicyFileError)) throw error;
      // A file that is just being written looks broken: the next look decides.
      const isSuspected = this.#suspected === error.message;
      this.#suspected = error.message;
      // Said once for each state of the file, not at every look.
      if (isSuspected && this.#failure?.error.message !== error.message) {
        const { version } = this.#inForce.policy;
        log.error(
          { file, code: error.code, faults: error.faults, inForce: version },
          `policy not taken over: ${error.message}`,
        );
        this.#failure = { error, at: clock.nowSeconds() };
      }
      return false;
    }
  }

  async #enforce(policy: IssuingPolicy): Promise<void> {
    const { store, clock } = this.#context;
    const fingerprint = fingerprintOf(policy);
    const now = clock.nowSeconds();
    const records = await this.#load();
    const known = records.find((record) => record.fingerprint === fingerprint);
    if (known === undefined || records.at(-1) !== known) {
      const inForceFrom = [...(known?.inForceFrom ?? []), now];
      const body = JSON.stringify({ policy: JSON.parse(policyText(policy)), inForceFrom });
      await store.move({ partition: PARTITION }, () => ({
        result: undefined,
        records: [{ kind: "policy", id: fingerprint, body }],
      }));
      this.#records = [...records.filter((record) => record !== known), { policy, fingerprint, inForceFrom }];
    } else this.#records = records;
    this.#inForce = { policy, fingerprint };
  }

  async #load(): Promise<readonly PolicyRecord[]> {
    const stored = await this.#context.store.operationRecords("policy");
    const records = stored.map(({ id, body }) => {
      const { policy, inForceFrom } = Value.Decode(Body, JSON.parse(body));
      return { policy: readKeptPolicy(policy), fingerprint: id, inForceFrom };
    });
    return records.toSorted((left, right) => (left.inForceFrom.at(-1) ?? 0) - (right.inForceFrom.at(-1) ?? 0));
  }

  /**
   * A payee was promised the deadline of the day on which the certificate was issued, so a shorter one counts only once
   * the last certificate of the longer policy has passed it.
   */
  #deadlineAt(now: number): number {
    let deadlineSeconds = this.#inForce.policy.uploadDeadlineSeconds;
    for (const [index, { policy }] of this.#records.entries()) {
      const next = this.#records[index + 1];
      if (next === undefined || policy.uploadDeadlineSeconds <= deadlineSeconds) continue;
      const lastIssuedAt = next.inForceFrom.at(-1) ?? now;
      const longestValiditySeconds = Math.max(...Object.values(policy.validitySecondsByScoreBand));
      if (now <= lastIssuedAt + longestValiditySeconds + policy.uploadDeadlineSeconds)
        deadlineSeconds = policy.uploadDeadlineSeconds;
    }
    return deadlineSeconds;
  }
}
