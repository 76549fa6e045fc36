import {
  type CertificateId,
  type DeviceId,
  identifierFromText,
  type MessageId,
  type TerminalId,
} from "@cairn/messages";
import { CommandError, EXIT } from "./outcome.ts";

/** An id as a person typed or pasted it. @throws CommandError ID_INVALID */
export function idOf<Id extends MessageId | CertificateId | DeviceId | TerminalId>(
  text: string,
  length: number,
  what: string,
): Id {
  const id = identifierFromText<Id>(text, length);
  if (id !== undefined) return id;
  throw new CommandError({
    code: "ID_INVALID",
    sentence: `"${text}" is not the id of a ${what}.`,
    next: `It has ${length * 2} hexadecimal digits.`,
    exitCode: EXIT.usage,
  });
}
