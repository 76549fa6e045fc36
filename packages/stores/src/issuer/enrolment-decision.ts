import type { EnrolmentCode, EnrolmentFailure } from "./port.ts";

/** A code as it is kept; `usedBy` is the id of the key that it enrolled. */
export type KeptEnrolmentCode = EnrolmentCode & { readonly usedBy: string | undefined };

/**
 * Whether a key may enrol with a code. In order: the code is there and of this kind; it was not used, unless by this
 * very key (a lost reply); it has not expired; the key is new.
 */
export function decideEnrolment(input: {
  readonly code: KeptEnrolmentCode | undefined;
  readonly kind: "device" | "terminal";
  readonly keyId: string;
  readonly keyIsKnown: boolean;
  readonly at: number;
}): "enrol" | "repeat" | EnrolmentFailure {
  const { code, kind, keyId, keyIsKnown, at } = input;
  if (code === undefined || "account" in code.for !== (kind === "device")) return "code-unknown";
  if (code.usedBy !== undefined) return code.usedBy === keyId ? "repeat" : "code-used";
  if (code.expiresAt < at) return "code-expired";
  return keyIsKnown ? "key-known" : "enrol";
}
