import { CodedError } from "@cairn/cose";
import { MessageError } from "@cairn/messages";
import { ClientError } from "../client/client-error.ts";

/** How a command ends: 0 done, 1 something broke, 2 wrongly called, 3 turned away by a rule. Scripts rely on these. */
export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3 } as const;

/** A command that was turned away, with what the person can do about it. */
export class CommandError extends CodedError {
  readonly exitCode: number;
  readonly next: string | undefined;

  constructor(input: { code: string; sentence: string; next?: string | undefined; exitCode?: number }) {
    super(input.code, input.sentence);
    this.next = input.next;
    this.exitCode = input.exitCode ?? EXIT.failed;
  }
}

/** A business refusal as the end of a command. */
export function refused(refusal: { readonly code: string; readonly sentence: string }, next?: string): CommandError {
  return new CommandError({ code: refusal.code, sentence: refusal.sentence, next, exitCode: EXIT.refused });
}

export type Failure = {
  readonly ok: false;
  readonly code: string;
  readonly sentence: string;
  readonly next?: string;
  readonly exitCode: number;
};

/** What to do about faults that packages find, which know no commands. */
const NEXT_STEPS: Readonly<Record<string, string | undefined>> = {
  ROOT_MISSING: "Make one with: cairn root create   or name its folder with --data.",
  POLICY_FILE_UNREADABLE: "Check the path. docs/guides/limits.md says what a policy file holds.",
  STORE_DAMAGED:
    "Stop the issuer. cairn ledger verify says what is damaged; a payment index is written anew by: cairn issuer rebuild-index. For all else see docs/guides/runbook.md.",
  ISSUER_UNREACHABLE: "Is it running? cairn issuer start prints its address. Then type the same command again.",
};

/** A call that did not arrive whole (RFC 9110, section 15.5.9): the network's fault, and no rule's. */
const ARRIVED_TOO_LATE = 408;

/** Whether the server understood and turned away (its 4xx), rather than failed, was busy or could not be reached. */
function isTurnedAway(error: CodedError): boolean {
  const status = error instanceof ClientError ? error.problem?.status : undefined;
  return status !== undefined && status >= 400 && status < 500 && status !== ARRIVED_TOO_LATE;
}

/** Whatever was thrown, as something a person can read. Never a stack trace. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CommandError) {
    const { code, message, next, exitCode } = error;
    return { ok: false, code, sentence: message, exitCode, ...(next === undefined ? {} : { next }) };
  }
  if (error instanceof MessageError) {
    return { ok: false, code: error.code, sentence: error.message, exitCode: EXIT.refused };
  }
  if (error instanceof CodedError) {
    const next = NEXT_STEPS[error.code];
    const exitCode = isTurnedAway(error) ? EXIT.refused : EXIT.failed;
    const failure = { ok: false, code: error.code, sentence: error.message, exitCode } as const;
    return next === undefined ? failure : { ...failure, next };
  }
  return { ok: false, ...systemFailure(error), exitCode: EXIT.failed };
}

const pathOf = (error: unknown): string =>
  error instanceof Error && "path" in error ? `The file ${String(error.path)}` : `A file (${String(error)})`;

/** Faults of the machine that people can mend themselves get a sentence of their own. */
function systemFailure(error: unknown): { code: string; sentence: string; next?: string } {
  const code = error instanceof Error && "code" in error ? String(error.code) : "UNEXPECTED";
  const text = error instanceof Error ? error.message : String(error);
  switch (code) {
    case "ENOENT":
      return { code: "FILE_NOT_FOUND", sentence: `${pathOf(error)} was not found.`, next: "Check the path." };
    case "EACCES":
    case "EPERM":
    case "ERR_ACCESS_DENIED":
      return {
        code: "FILE_NOT_ALLOWED",
        sentence: `${pathOf(error)} may not be read or written.`,
        next: "Check the rights of the folder.",
      };
    case "EADDRINUSE":
      return { code: "PORT_IN_USE", sentence: "The port is already in use.", next: "Choose another one with --port." };
    case "ENOSPC":
      return { code: "DISK_FULL", sentence: "The disk is full. Nothing was lost; free some space and try again." };
    default:
      return { code: "UNEXPECTED", sentence: `Something unexpected went wrong: ${text}` };
  }
}
