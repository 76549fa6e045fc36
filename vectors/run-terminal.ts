import { DEFAULT_COLLECT_POLICY, openTerminal, type Terminal } from "@cairn/collect";
import { payeeCertificate, paymentRequest, requestHashOf, restoreVerified } from "@cairn/messages";
import { MemoryTerminalJournal } from "@cairn/stores";
import { fromHexText, type JsonObject } from "./case.ts";
import { bytesAt, RefusedError, textAt } from "./run-case.ts";
import { crypto, rootKeyBytes, terminal as terminalKey } from "./world.ts";

/** Puts a real terminal into the state that a case describes, and shows it the code. */
type Outcome = Awaited<ReturnType<Terminal["accept"]>>;

export async function acceptAtTerminal(input: JsonObject): Promise<JsonObject> {
  const { terminal, clock } = await terminalIn(input);
  for (const { code, now } of input.before as readonly JsonObject[]) {
    clock.at = Number(now);
    mustBeAccepted(await terminal.accept(String(code)));
  }
  clock.at = Number(input.now);
  return answerOf(await terminal.accept(textAt(input, "code")));
}

export async function acceptOpenAtTerminal(input: JsonObject): Promise<JsonObject> {
  const { terminal, clock } = await terminalIn({ ...input, requests: [] });
  for (const { code, now } of input.before as readonly JsonObject[]) {
    clock.at = Number(now);
    mustBeAccepted(await terminal.acceptOpen(String(code)));
  }
  clock.at = Number(input.now);
  const options = input.captureMinor === null ? {} : { captureMinor: BigInt(textAt(input, "captureMinor")) };
  return answerOf(await terminal.acceptOpen(textAt(input, "code"), options));
}

async function terminalIn(input: JsonObject) {
  const journal = new MemoryTerminalJournal();
  const clock = { at: Number(input.now), nowSeconds: () => clock.at };
  const random = { bytes: (length: number) => new Uint8Array(length) };
  const terminal = openTerminal({
    journal,
    signer: terminalKey,
    crypto,
    clock,
    random,
    policy: DEFAULT_COLLECT_POLICY,
  });
  const own = restoreVerified(payeeCertificate, bytesAt(input, "payeeCertificate"), crypto);
  const { payeeCertificateId } = own.content;
  const setup = {
    rootKey: rootKeyBytes,
    trustList: bytesAt(input, "trustList"),
    statusList: bytesAt(input, "statusList"),
    payeeCertificate: own.bytes,
    payeeCertificateId,
    issuerId: undefined,
    guests: [],
  };
  await journal.replaceSetup(setup, 0);
  for (const { request, voided } of input.requests as readonly JsonObject[]) {
    const {
      messageId: requestId,
      content,
      bytes,
    } = restoreVerified(paymentRequest, fromHexText(String(request)), crypto);
    const { issuedAt } = content;
    await journal.recordRequest({
      requestId,
      requestHash: requestHashOf(requestId),
      request: bytes,
      payeeCertificateId,
      issuedAt,
    });
    if (voided) await journal.decideVoid(requestId, () => ({ result: undefined, write: { voidedAt: issuedAt } }));
  }
  return { terminal, clock };
}

function mustBeAccepted(outcome: Outcome): void {
  if (outcome.kind !== "accepted") throw new Error(`A case's own history was refused: ${outcome.refusal.code}`);
}

function answerOf(outcome: Outcome): JsonObject {
  if (outcome.kind !== "accepted") throw new RefusedError(outcome.refusal);
  const { paymentId, takenMinor } = outcome.acceptance;
  return { paymentId, takenMinor: takenMinor?.toString() ?? null, guaranteed: outcome.guaranteed };
}
