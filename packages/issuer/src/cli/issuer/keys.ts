import type { Command } from "commander";
import type { Keys } from "../../api/operator-api.ts";
import { addCommand, wholeNumber } from "../command.ts";
import { formatTime, type Printer, table } from "../printer.ts";
import { type OperatorOptions, operatorClient, withOperatorOptions } from "./operator.ts";

export function addKeyCommands(issuer: Command): void {
  const keys = issuer.command("keys").description("The issuer's signing keys.");

  addCommand<OperatorOptions>(
    keys,
    "list",
    "Which keys sign, and until when they are trusted.",
    withOperatorOptions,
    async (printer, options) => {
      showKeys(printer, await (await operatorClient(options)).keys());
    },
  );

  addCommand<OperatorOptions & { overlap?: number }>(
    keys,
    "rotate",
    "Add a new signing key. The old one stays trusted for what it signed.",
    (command) =>
      withOperatorOptions(command).option(
        "--overlap <seconds>",
        "how long the new key is published before it signs",
        wholeNumber(0),
      ),
    async (printer, options) => {
      const overlap = options.overlap === undefined ? {} : { overlapSeconds: options.overlap };
      showKeys(printer, await (await operatorClient(options)).rotateKeys(overlap));
    },
  );
}

function showKeys(printer: Printer, keys: Keys): void {
  printer.line(`Root key ${keys.rootKeyId}; trust list version ${keys.trustListVersion}`);
  const rows = keys.keys.map((key) => [
    key.keyId,
    formatTime(key.signsFrom),
    formatTime(key.validUntil),
    key.active ? "signing" : "",
  ]);
  for (const line of table([["key", "signs from (UTC)", "trusted until (UTC)", ""], ...rows])) printer.line(line);
  printer.result({ keys });
}
