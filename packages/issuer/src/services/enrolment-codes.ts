import type { TerminalId } from "@cairn/messages";
import type { EnrolmentCode } from "@cairn/stores";
import {
  ENROLMENT_CODE_VALIDITY_SECONDS,
  enrolmentCodeHash,
  MAXIMUM_ENROLMENT_CODE_VALIDITY_SECONDS,
  makeEnrolmentCode,
} from "./enrolment-code.ts";
import type { ServerContext } from "./server-context.ts";

/** `onlyFor`: of a terminal, the one key that may enrol with it. */
export type CodeTerms = { readonly validitySeconds?: number | undefined; readonly onlyFor?: TerminalId };

/** Makes a one-time code; the answer is the only place where its text ever stands. */
export async function createEnrolmentCode(
  purpose: EnrolmentCode["for"],
  { validitySeconds, onlyFor }: CodeTerms,
  context: ServerContext,
): Promise<{ readonly code: string; readonly expiresAt: number }> {
  const { store, clock, random, log } = context;
  const code = makeEnrolmentCode(random);
  const codeHash = enrolmentCodeHash(code, context, onlyFor);
  if (codeHash === undefined) throw new Error("A code of ours has not the form of a code.");
  const wanted = validitySeconds ?? ENROLMENT_CODE_VALIDITY_SECONDS;
  const expiresAt = clock.nowSeconds() + Math.min(wanted, MAXIMUM_ENROLMENT_CODE_VALIDITY_SECONDS);
  await store.createEnrolmentCode({ codeHash, for: purpose, expiresAt });
  log.info({ ...purpose, expiresAt }, "enrolment code made");
  return { code, expiresAt };
}
