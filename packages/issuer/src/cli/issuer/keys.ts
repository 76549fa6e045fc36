import { readFile, writeFile } from "node:fs/promises";
import type { KeyId } from "@cairn/messages";
import { Value } from "@sinclair/typebox/value";
import type { Command } from "commander";
import { KeyStatement, type Keys } from "../../api/operator-api.ts";
import { addCommand, wholeNumber } from "../command.ts";
import { counted, formatTime, type Printer, table } from "../printer.ts";
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

  addCommand<OperatorOptions & { out: string }>(
    keys,
    "statement",
    "Write the issuer's public keys for the offline root to sign.",
    (command) => withOperatorOptions(command).option("--out <file>", "where they go", "issuer-keys.json"),
    async (printer, options) => {
      const statement = await (await operatorClient(options)).keyStatement();
      const written = Value.Encode(KeyStatement, statement);
      await writeFile(options.out, `${JSON.stringify(written, undefined, 2)}\n`);
      printer.line(`Carry ${options.out} to the root: cairn root sign --keys ${options.out}`);
      printer.result({ file: options.out, statement: written });
    },
  );

  addCommand<OperatorOptions>(
    keys,
    "bring <trust-list>",
    "Publish a trust list that the offline root signed.",
    withOperatorOptions,
    async (printer, options, file) => {
      const bytes = new Uint8Array(await readFile(file ?? ""));
      showKeys(printer, await (await operatorClient(options)).bringTrustList(bytes));
    },
  );

  addCommand<OperatorOptions>(
    keys,
    "seal",
    "From now on an audit wants the issuer's seal on every entry that settles no payment. Issuers made by this version do so anyway.",
    withOperatorOptions,
    async (printer, options) => {
      const partitions = await (await operatorClient(options)).sealEntries();
      printer.line(
        `Begun. Older entries of ${counted(partitions, "partition")} are held by their chain alone: verify the books now.`,
      );
      printer.result({ partitions });
    },
  );

  addCommand<OperatorOptions>(
    keys,
    "withdraw <key-id>",
    "Withdraw a compromised key: what it signed is accepted by no terminal that syncs.",
    withOperatorOptions,
    async (printer, options, keyId) => {
      const client = await operatorClient(options);
      const view = await client.withdrawKey((keyId ?? "") as KeyId);
      showKeys(printer, view);
      if (view.offlineRoot) printer.progress(`Now have the root sign: cairn root withdraw ${keyId}`);
    },
  );
}

function showKeys(printer: Printer, keys: Keys): void {
  printer.line(`Root key ${keys.rootKeyId}; trust list version ${keys.trustListVersion ?? "none yet"}`);
  const rows = keys.keys.map((key) => [
    key.keyId,
    formatTime(key.signsFrom),
    formatTime(key.validUntil),
    key.withdrawnAt === null ? (key.active ? "signing" : "") : "WITHDRAWN",
  ]);
  for (const line of table([["key", "signs from (UTC)", "trusted until (UTC)", ""], ...rows])) printer.line(line);
  printer.result({ keys });
}
