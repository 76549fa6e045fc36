import { createHash } from "node:crypto";
import { type IssuingPolicy, policyText } from "@cairn/issue";

/** The policy that decides at a moment, as every service asks for it: anew each time, since it can be changed while the server runs. */
export interface PolicySource {
  at(now: number): PolicyInForce;
}

export type PolicyInForce = {
  readonly policy: IssuingPolicy;
  /** Of the whole policy with its defaults written out: 12 hexadecimal digits of its SHA-256. */
  readonly fingerprint: string;
};

/** Tells policies apart whatever their operators call them. */
export function fingerprintOf(policy: IssuingPolicy): string {
  return createHash("sha256").update(policyText(policy)).digest("hex").slice(0, 12);
}

/** One policy, always. */
export function fixedPolicy(policy: IssuingPolicy): PolicySource {
  const inForce = { policy, fingerprint: fingerprintOf(policy) };
  return { at: () => inForce };
}
