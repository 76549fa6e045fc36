import { readFile, writeFile } from "node:fs/promises";
import { nodeCrypto } from "@cairn/cose/node";
import { IDENTIFIER_BYTES, identifierFromText, type KeyId, keyIdOf, type TrustList, toHex } from "@cairn/messages";
import { Value } from "@sinclair/typebox/value";
import type { Command } from "commander";
import { KeyStatement } from "../../api/operator-api.ts";
import { systemClock, systemRandom } from "../../ports.ts";
import { createOfflineRoot, type OfflineRoot, openOfflineRoot } from "../../root/offline-root.ts";
import { RootError } from "../../root/root-error.ts";
import { addCommand, wholeNumber } from "../command.ts";
import { CommandError, EXIT } from "../outcome.ts";
import { findPassphrase } from "../passphrase.ts";
import { formatTime, type Printer, table } from "../printer.ts";

type RootOptions = { readonly data: string };
type SignOptions = RootOptions & { readonly keys?: readonly string[]; readonly days: number; readonly out: string };

const DAY_SECONDS = 86_400;

/** The root of trust. Nothing here needs a network: these commands belong on a machine that has none. */
export function addRootCommands(program: Command): void {
  const root = program.command("root").description("Keep the offline root: it decides which issuers devices trust.");

  addCommand<RootOptions & { out: string }>(
    root,
    "create",
    "Make a root key in a folder of its own. CAIRN_PASSPHRASE seals it.",
    (command) => withData(command).option("--out <file>", "where its public key goes, for issuers", "root-key.hex"),
    async (printer, { data, out }) => {
      const { text: passphrase } = await findPassphrase(data);
      const made = await createOfflineRoot({ path: data, passphrase, crypto: nodeCrypto(), random: systemRandom });
      await writeFile(out, `${toHex(made.rootKey)}\n`);
      printer.line(`The root key lies sealed in ${data}; its public key is in ${out}.`);
      printer.line(`Start issuers with: cairn issuer start --offline-root ${out}`);
      printer.result({ rootKey: toHex(made.rootKey), publicKeyFile: out });
    },
  );

  addCommand<SignOptions>(
    root,
    "sign",
    "Sign the next trust list. Statements come from: cairn issuer keys statement. Without one: the same keys for longer.",
    (command) => withSigning(command).option("--keys <files...>", "issuers' key statements"),
    async (printer, options) => {
      const statements = await Promise.all((options.keys ?? []).map(readStatement));
      const root = await open(options);
      const at = { validitySeconds: options.days * DAY_SECONDS, now: systemClock.nowSeconds() };
      await bringOut(printer, await root.sign({ statements, ...at }), options.out);
    },
  );

  addCommand<SignOptions>(
    root,
    "withdraw <key-id>",
    "Sign the next trust list without a compromised issuer key. It never comes back.",
    withSigning,
    async (printer, options, keyText) => {
      const keyId = identifierFromText<KeyId>(keyText ?? "", IDENTIFIER_BYTES.keyId);
      if (keyId === undefined) throw new RootError("ROOT_KEY_UNKNOWN", "A key id has eight hexadecimal digits.");
      const root = await open(options);
      const at = { validitySeconds: options.days * DAY_SECONDS, now: systemClock.nowSeconds() };
      await bringOut(printer, await root.withdraw(keyId, at), options.out);
    },
  );

  addCommand<RootOptions>(root, "show", "The trust list signed last.", withData, async (printer, options) => {
    const { last, rootKey } = await open(options);
    if (last === undefined) printer.line("No trust list has been signed yet.");
    else show(printer, last.content);
    printer.result({ rootKey: toHex(rootKey), trustList: last === undefined ? null : viewOf(last.content) });
  });
}

const withData = (command: Command): Command =>
  command.option("--data <folder>", "the root's own folder", ".cairn/root");

const withSigning = (command: Command): Command =>
  withData(command)
    .option("--days <days>", "how long devices rely on the list", wholeNumber(1), 30)
    .option("--out <file>", "where the list goes, for every issuer to take: cairn issuer keys bring", "trust-list.cwt");

async function open({ data }: RootOptions): Promise<OfflineRoot> {
  const { text: passphrase } = await findPassphrase(data);
  return openOfflineRoot({ path: data, passphrase, crypto: nodeCrypto() });
}

async function readStatement(file: string): Promise<KeyStatement> {
  try {
    return Value.Decode(KeyStatement, JSON.parse(await readFile(file, "utf8")));
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") throw cause;
    throw new CommandError({
      code: "ROOT_STATEMENT_MALFORMED",
      sentence: `${file} is no key statement.`,
      next: "Make one with: cairn issuer keys statement --out FILE",
      exitCode: EXIT.usage,
    });
  }
}

async function bringOut(printer: Printer, list: { bytes: Uint8Array; content: TrustList }, out: string): Promise<void> {
  await writeFile(out, list.bytes);
  show(printer, list.content);
  printer.line(`Signed into ${out}. Every issuer in it takes it with: cairn issuer keys bring ${out}`);
  printer.result({ file: out, trustList: viewOf(list.content) });
}

function show(printer: Printer, list: TrustList): void {
  const view = viewOf(list);
  printer.line(`Trust list version ${view.version}, until ${formatTime(view.expiresAt)} UTC`);
  const rows = view.keys.map((key) => [key.keyId, key.issuerId, key.issuerUrl, formatTime(key.validUntil)]);
  for (const line of table([["key", "issuer", "address", "trusted until (UTC)"], ...rows])) printer.line(line);
}

function viewOf({ version, issuedAt, expiresAt, keys }: TrustList) {
  const crypto = nodeCrypto();
  return {
    version,
    issuedAt,
    expiresAt,
    keys: keys.map(({ key, ...rest }) => ({ keyId: keyIdOf(key, crypto), ...rest })),
  };
}
