import { readFile } from "node:fs/promises";
import { CodedError } from "@cairn/cose";
import { checkPolicy, type IssuingPolicy } from "@cairn/issue";

export type PolicyFileCode =
  | "POLICY_FILE_UNREADABLE"
  /** Not JSON at all. */
  | "POLICY_FILE_MALFORMED"
  /** JSON, but no policy; `faults` says what is wrong, all of it. */
  | "POLICY_FILE_INVALID";

export type PolicyFault = { readonly code: string; readonly path: string; readonly sentence: string };

/** A policy file cannot be used. Its message is one sentence for people; `faults` has each fault of a policy by itself. */
export class PolicyFileError extends CodedError<PolicyFileCode> {
  readonly faults: readonly PolicyFault[];

  constructor(code: PolicyFileCode, message: string, faults: readonly PolicyFault[] = [], options?: ErrorOptions) {
    super(code, message, options);
    this.faults = faults;
  }
}

/** @throws PolicyFileError POLICY_FILE_UNREADABLE */
export async function readPolicyText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new PolicyFileError("POLICY_FILE_UNREADABLE", `The policy file ${path} cannot be read.`, [], { cause });
  }
}

/** @throws PolicyFileError POLICY_FILE_MALFORMED, POLICY_FILE_INVALID */
export function parsePolicy(text: string): IssuingPolicy {
  const checked = checkPolicy(parseJson(text));
  if ("policy" in checked) return checked.policy;
  const faults = checked.faults.map(({ code, path, message }) => ({ code, path, sentence: message }));
  const [first, ...others] = checked.faults;
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  throw new PolicyFileError("POLICY_FILE_INVALID", `${first.message}${more}`, faults);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PolicyFileError("POLICY_FILE_MALFORMED", `The policy is not JSON: ${why}`, [], { cause });
  }
}
