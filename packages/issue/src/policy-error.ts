import { CodedError } from "@cairn/cose";

export type PolicyErrorCode =
  /** A key that the policy does not have: a typing error would otherwise leave a default in force unseen. */
  | "POLICY_FIELD_UNKNOWN"
  /** A value of the wrong type or outside its range. */
  | "POLICY_FIELD_INVALID"
  /** Each figure is possible, but not together. */
  | "POLICY_INCONSISTENT";

/** The operator's policy cannot be used. `path` names the place, such as "limit.floorMinor"; "" is the whole. */
export class PolicyError extends CodedError<PolicyErrorCode> {
  readonly path: string;

  constructor(code: PolicyErrorCode, path: string, why: string) {
    super(code, path === "" ? `The policy ${why}.` : `${path} ${why}.`);
    this.path = path;
  }
}
