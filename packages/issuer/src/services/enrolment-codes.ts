import type { Partition } from "@cairn/issue";
import type { PayeeId, TerminalId } from "@cairn/messages";
import type { EnrolmentCode } from "@cairn/stores";
import {
  derivedEnrolmentCode,
  ENROLMENT_CODE_VALIDITY_SECONDS,
  enrolmentCodeHash,
  MAXIMUM_ENROLMENT_CODE_VALIDITY_SECONDS,
  makeEnrolmentCode,
} from "./enrolment-code.ts";
import type { ServerContext } from "./server-context.ts";

/** Makes a one-time code; the answer is the only place where its text ever stands. */
export async function createEnrolmentCode(
  purpose: EnrolmentCode["for"],
  { validitySeconds }: { readonly validitySeconds?: number | undefined },
  context: ServerContext,
): Promise<{ readonly code: string; readonly expiresAt: number }> {
  const { store, clock, random, log } = context;
  const code = makeEnrolmentCode(random);
  const wanted = validitySeconds ?? ENROLMENT_CODE_VALIDITY_SECONDS;
  const expiresAt = clock.nowSeconds() + Math.min(wanted, MAXIMUM_ENROLMENT_CODE_VALIDITY_SECONDS);
  const made = await store.createEnrolmentCode({ codeHash: hashOf(code, context), for: purpose, expiresAt });
  if (made === "exists") throw new Error("A code was drawn twice.");
  log.info({ ...purpose, expiresAt }, "enrolment code made");
  return { code, expiresAt };
}

const DAY_SECONDS = 86_400;
/** Long enough at the end of a day too, for the call that follows at once: nobody types this code. */
const LEAST_VALIDITY_SECONDS = 600;

/**
 * A one-time code for the one key that is named. Whoever asks again on the same day is given the same one: a device
 * may ask as often as it likes and makes the server write one row a day for each of its keys.
 */
export async function enrolmentCodeFor(
  { payeeId, terminalId }: { readonly payeeId: PayeeId; readonly terminalId: TerminalId },
  context: ServerContext,
): Promise<{ readonly code: string; readonly expiresAt: number }> {
  const { store, clock, log } = context;
  const day = Math.floor(clock.nowSeconds() / DAY_SECONDS);
  const expiresAt = (day + 1) * DAY_SECONDS + LEAST_VALIDITY_SECONDS;
  const code = derivedEnrolmentCode(`${payeeId}/${terminalId}/${day}`, context);
  const codeHash = hashOf(code, context, terminalId);
  const made = await store.createEnrolmentCode({ codeHash, for: { payeeId }, expiresAt });
  if (made === "created") log.info({ payeeId, terminalId, expiresAt }, "enrolment code made");
  return { code, expiresAt };
}

/** Who types an expired code is told so, and not that there is none, for so long. */
const EXPIRED_KEPT_SECONDS = 7 * DAY_SECONDS;
const PARTITIONS = 256;

/** Takes away codes that nobody used in time: of one partition in each minute, so that no round takes long. */
export async function forgetExpiredCodes({ store, clock }: Pick<ServerContext, "store" | "clock">): Promise<number> {
  const now = clock.nowSeconds();
  const partition = (Math.floor(now / 60) % PARTITIONS) as Partition;
  return store.forgetExpiredCodes({ partition, before: now - EXPIRED_KEPT_SECONDS });
}

function hashOf(code: string, context: ServerContext, onlyFor?: TerminalId): string {
  const codeHash = enrolmentCodeHash(code, context, onlyFor);
  if (codeHash === undefined) throw new Error("A code of ours has not the form of a code.");
  return codeHash;
}
