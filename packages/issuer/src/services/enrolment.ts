import {
  type CborValue,
  CoseError,
  decodeCbor,
  encodeCbor,
  type P256PublicKey,
  publicKeyFromCbor,
  publicKeysEqual,
  publicKeyToCbor,
} from "@cairn/cose";
import { deviceIdOf, type KeyProtection, MessageError, terminalIdOf } from "@cairn/messages";
import type { DeviceRecord, EnrolmentFailure, TerminalRecord } from "@cairn/stores";
import type { AttemptLimit } from "./attempt-limit.ts";
import { storedKey } from "./callers.ts";
import { retireDevice, type WithdrawalContext } from "./device-loss.ts";
import { enrolmentCodeHash } from "./enrolment-code.ts";
import { blockedWithItsWallet } from "./receiving.ts";
import { type ServiceCode, ServiceError } from "./service-error.ts";
import { asMalformed, authenticate, type CallContext, openCall } from "./signed-calls.ts";

export type EnrolmentContext = CallContext & { readonly attempts: AttemptLimit };
/** The call as it came in, and from which network address. */
export type EnrolmentCall = { readonly body: Uint8Array; readonly address: string };

type Wanted = {
  readonly code: string;
  readonly key: P256PublicKey;
  readonly protection: KeyProtection;
  readonly label: string;
};

/** Printable text of a sensible length: an operator reads it in lists. */
const LABEL_FORM = /^[^\p{C}\p{Zl}\p{Zp}]{1,40}$/u;

/**
 * A device that takes another one's place puts that one out of use: it is blocked and its certificates are withdrawn.
 * Their exposure stays until the upload deadline. A crash in between is made good when the wallet, which had no answer,
 * asks again.
 * @throws ServiceError as `redeem`, CALLER_FROZEN
 */
export async function enrolDevice(
  call: EnrolmentCall,
  context: EnrolmentContext & WithdrawalContext,
): Promise<DeviceRecord> {
  const device = await redeem(call, context, ({ key, protection, label }, codeHash) => {
    const deviceId = deviceIdOf(key, context.crypto);
    const at = context.clock.nowSeconds();
    return context.store.enrolDevice({ codeHash, deviceId, publicKey: encodeKey(key), protection, label, at });
  });
  const { deviceId, account } = device;
  context.log.info({ deviceId, account }, "device enrolled");
  if (device.replacesDeviceId !== undefined) await retireDevice(device.replacesDeviceId, context);
  return notFrozen(device);
}

/** @throws ServiceError as `redeem`, CALLER_FROZEN */
export async function enrolTerminal(
  call: EnrolmentCall,
  context: EnrolmentContext & Pick<WithdrawalContext, "log">,
): Promise<TerminalRecord> {
  const terminal = await redeem(call, context, async ({ code, key, label }, codeHash) => {
    const terminalId = terminalIdOf(key, context.crypto);
    const wanted = { terminalId, publicKey: encodeKey(key), label, at: context.clock.nowSeconds() };
    const anybodys = await context.store.enrolTerminal({ ...wanted, codeHash });
    const named = enrolmentCodeHash(code, context, terminalId);
    if (anybodys !== "code-unknown" || named === undefined) return anybodys;
    const its = await context.store.enrolTerminal({ ...wanted, codeHash: named });
    // It never heard that it was enrolled: its wallet draws a new code, which is drawn only for the payee that it is of.
    return its === "key-known" ? ((await context.store.terminal(terminalId)) ?? its) : its;
  });
  const { terminalId, payeeId } = terminal;
  context.log.info({ terminalId, payeeId }, "terminal enrolled");
  return notFrozen(await blockedWithItsWallet(terminal, context));
}

/** Whoever is blocked enrols again, with the code of then, for nothing: not for new certificates or lists either. */
function notFrozen<EnrolledRecord extends DeviceRecord | TerminalRecord>(record: EnrolledRecord): EnrolledRecord {
  if (record.status === "frozen") throw new ServiceError("CALLER_FROZEN");
  return record;
}

const FAILURES: Readonly<Record<EnrolmentFailure, ServiceCode>> = {
  "code-unknown": "ENROLMENT_CODE_INVALID",
  "code-used": "ENROLMENT_CODE_USED",
  "code-expired": "ENROLMENT_CODE_EXPIRED",
  "key-known": "KEY_ALREADY_ENROLLED",
};

/**
 * Enrols the key that signed the call, against a one-time code. The same key with the same code again gives the same
 * answer.
 * @throws ServiceError CALL_MALFORMED, NONCE_INVALID (not ours, or expired), TOO_MANY_ATTEMPTS, CALL_SIGNATURE_INVALID,
 *   NONCE_INVALID (used), ENROLMENT_CODE_..., KEY_ALREADY_ENROLLED, in this order.
 */
async function redeem<EnrolledRecord extends { readonly publicKey: Uint8Array }>(
  { body, address }: EnrolmentCall,
  context: EnrolmentContext,
  enrol: (wanted: Wanted, codeHash: string) => Promise<EnrolledRecord | EnrolmentFailure>,
): Promise<EnrolledRecord> {
  const call = openCall("enrolment", body, context);
  const wanted = asMalformed(() => readWanted(decodeCbor(call.content)));
  if (asMalformed(() => deviceIdOf(wanted.key, context.crypto)) !== call.callerId)
    throw new ServiceError("CALL_SIGNATURE_INVALID");
  // Before anything is written: anybody can sign such a call, with a key made for it.
  const seconds = await context.attempts.begin(address, context.clock.nowSeconds());
  if (seconds > 0) throw new ServiceError("TOO_MANY_ATTEMPTS", `${seconds} s`);
  let wasRight = false;
  try {
    await authenticate(call, wanted.key, context);
    const codeHash = enrolmentCodeHash(wanted.code, context);
    const enrolled = codeHash === undefined ? "code-unknown" : await enrol(wanted, codeHash);
    if (typeof enrolled === "string") throw new ServiceError(FAILURES[enrolled]);
    wasRight = true;
    // Ids are the first 8 bytes of a thumbprint: whoever finds a second key for one gets nothing for it.
    if (!publicKeysEqual(storedKey(enrolled.publicKey), wanted.key)) throw new ServiceError("KEY_ALREADY_ENROLLED");
    return enrolled;
  } finally {
    context.attempts.end(address, context.clock.nowSeconds(), wasRight);
  }
}

function readWanted(value: CborValue): Wanted {
  if (!Array.isArray(value) || value.length !== 4) throw new MessageError("BUNDLE_MALFORMED", "enrolment");
  const [code, key, protection, label] = value;
  if (typeof code !== "string" || code.length > 64) throw new MessageError("MESSAGE_FIELD_INVALID", "code");
  if (key === undefined) throw new CoseError("COSE_KEY_INVALID", "There is no key.");
  if (typeof label !== "string" || !LABEL_FORM.test(label)) throw new MessageError("MESSAGE_FIELD_INVALID", "label");
  return { code, key: publicKeyFromCbor(key), protection: readProtection(protection), label };
}

function readProtection(value: CborValue | undefined): KeyProtection {
  if (value === 0 || value === 1 || value === 2 || value === 3) return value;
  throw new MessageError("MESSAGE_FIELD_INVALID", "protection");
}

const encodeKey = (key: P256PublicKey): Uint8Array => encodeCbor(publicKeyToCbor(key));
