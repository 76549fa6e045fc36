import { randomUUID } from "node:crypto";
import {
  amount,
  type Currency,
  currency,
  type DeviceId,
  formatAmount,
  IDENTIFIER_BYTES,
  parseAmount,
} from "@cairn/messages";
import type { Command } from "commander";
import type { Account } from "../../api/operator-api.ts";
import type { OperatorClient } from "../../client/operator-client.ts";
import { addCommand, wholeNumber } from "../command.ts";
import { idOf } from "../identifier-argument.ts";
import { CommandError, EXIT } from "../outcome.ts";
import { formatTime, type Printer, table } from "../printer.ts";
import { type OperatorOptions, operatorClient, withOperatorOptions } from "./operator.ts";

type CreateOptions = OperatorOptions & {
  readonly name: string;
  readonly currency: string;
  readonly balance?: string;
  readonly credit?: string;
  readonly band: string;
};
type CreditOptions = OperatorOptions & { readonly line: string; readonly overdue: string; readonly band: string };
type CodeOptions = OperatorOptions & { readonly valid: number; readonly replaces?: string };

const BANDS = ["A", "B", "C", "D", "E"] as const;

export function addAccountCommands(issuer: Command): void {
  const account = issuer.command("account").description("Accounts of payers: money, credit, devices, certificates.");

  addCommand<CreateOptions>(
    account,
    "create",
    "Open an account, with a first top-up and a credit line if wanted.",
    (command) =>
      withOperatorOptions(command)
        .requiredOption("--name <text>", "whose account it is")
        .option("--currency <code>", "ISO 4217 code", "EUR")
        .option("--balance <amount>", "a first top-up, such as 30.00")
        .option("--credit <amount>", "the credit line, such as 50.00")
        .option("--band <letter>", "credit score band, A (best) to E", "B"),
    async (printer, options) => {
      const client = await operatorClient(options);
      const of = currency(options.currency);
      const created = await client.createAccount({ name: options.name, currency: of });
      if (options.balance !== undefined) await topUp(client, created.account, options.balance, of, randomUUID());
      if (options.credit !== undefined)
        await setCredit(client, created.account, { line: options.credit, overdue: "0", band: options.band }, of);
      showAccount(printer, await client.account(created.account));
    },
  );

  addCommand<OperatorOptions>(account, "list", "All accounts.", withOperatorOptions, async (printer, options) => {
    const accounts = await (await operatorClient(options)).accounts();
    const rows = accounts.map((each) => [
      String(each.account),
      each.name,
      each.status,
      money(each.balanceMinor, each),
      money(each.creditUsedMinor, each),
      money(each.creditLineMinor, each),
    ]);
    for (const line of table(
      [["account", "name", "status", "balance", "credit used", "credit line"], ...rows],
      [0, 3, 4, 5],
    ))
      printer.line(line);
    printer.result({ accounts });
  });

  addCommand<OperatorOptions>(
    account,
    "show <account>",
    "One account with its certificates.",
    withOperatorOptions,
    async (printer, options, number = "") => {
      const client = await operatorClient(options);
      const shown = await client.account(accountOf(number));
      const certificates = await client.certificates(shown.account);
      const rows = certificates.map((each) => [
        each.certificateId,
        formatTime(each.issuedAt),
        formatTime(each.expiresAt),
        money(each.limitMinor, shown),
        money(each.settledMinor, shown),
        money(each.exposureMinor, shown),
        stateOf(each),
      ]);
      showAccount(printer, shown, { certificates });
      const heldMinor = certificates.reduce((sumMinor, each) => sumMinor + each.heldMinor, 0n);
      if (heldMinor > 0n) printer.line(`  held for offline payments: ${money(heldMinor, shown)}`);
      if (rows.length > 0)
        for (const line of table(
          [["certificate", "issued (UTC)", "expires (UTC)", "limit", "settled", "may come", "state"], ...rows],
          [3, 4, 5],
        ))
          printer.line(line);
    },
  );

  addCommand<OperatorOptions & { key?: string }>(
    account,
    "top-up <account> <amount>",
    "Add money. Used credit is repaid first.",
    (command) => withOperatorOptions(command).option("--key <text>", "idempotency key: the same key twice posts once"),
    async (printer, options, number = "", text = "") => {
      const client = await operatorClient(options);
      const shown = await client.account(accountOf(number));
      showAccount(printer, await topUp(client, shown.account, text, shown.currency, options.key ?? randomUUID()));
    },
  );

  addCommand<CreditOptions>(
    account,
    "credit <account>",
    "Set the credit line and what is known of it.",
    (command) =>
      withOperatorOptions(command)
        .requiredOption("--line <amount>", "the credit line, such as 50.00")
        .option("--overdue <amount>", "what should have been paid back already", "0")
        .option("--band <letter>", "credit score band, A (best) to E", "B"),
    async (printer, options, number = "") => {
      const client = await operatorClient(options);
      const shown = await client.account(accountOf(number));
      showAccount(printer, await setCredit(client, shown.account, options, shown.currency));
    },
  );

  for (const [verb, status, about] of [
    ["freeze", "frozen", "Stop issuing certificates to an account."],
    ["unfreeze", "active", "Let an account have certificates again."],
  ] as const) {
    addCommand<OperatorOptions>(
      account,
      `${verb} <account>`,
      about,
      withOperatorOptions,
      async (printer, options, number = "") => {
        showAccount(printer, await (await operatorClient(options)).setAccountStatus(accountOf(number), status));
      },
    );
  }

  addCommand<CodeOptions>(
    account,
    "code <account>",
    "A one-time code with which one device enrols.",
    (command) =>
      withOperatorOptions(command)
        .option("--valid <seconds>", "how long the code works", wholeNumber(1), 3_600)
        .option("--replaces <device>", "the device whose place the new one takes"),
    async (printer, options, number = "") => {
      const { replaces } = options;
      const answer = await (await operatorClient(options)).createDeviceCode(accountOf(number), {
        validitySeconds: options.valid,
        ...(replaces === undefined
          ? {}
          : { replacesDeviceId: idOf<DeviceId>(replaces, IDENTIFIER_BYTES.deviceId, "device") }),
      });
      printer.line(`${answer.code}   (works once, until ${formatTime(answer.expiresAt)} UTC)`);
      printer.result(answer);
    },
  );

  addCommand<OperatorOptions>(
    account,
    "resolve <account>",
    "Mark an account's conflicts as resolved: it may have certificates again.",
    withOperatorOptions,
    async (printer, options, number = "") => {
      const resolved = await (await operatorClient(options)).resolveConflicts(accountOf(number));
      printer.line(`${resolved} conflicts resolved.`);
      printer.result({ resolved });
    },
  );
}

function accountOf(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new CommandError({
    code: "ACCOUNT_INVALID",
    sentence: `"${text}" is not an account number.`,
    next: "See: cairn issuer account list",
    exitCode: EXIT.usage,
  });
}

async function topUp(
  client: OperatorClient,
  account: number,
  text: string,
  of: Currency,
  idempotencyKey: string,
): Promise<Account> {
  return (await client.topUp(account, { amountMinor: parseAmount(text, of).minor, idempotencyKey })).account;
}

function setCredit(
  client: OperatorClient,
  account: number,
  input: { line: string; overdue: string; band: string },
  of: Currency,
): Promise<Account> {
  const scoreBand = BANDS.find((band) => band === input.band);
  if (scoreBand === undefined)
    throw new CommandError({
      code: "BAND_UNKNOWN",
      sentence: `There is no score band ${input.band}.`,
      next: "Use A (best) to E.",
      exitCode: EXIT.usage,
    });
  return client.setCredit(account, {
    lineMinor: parseAmount(input.line, of).minor,
    overdueMinor: parseAmount(input.overdue, of).minor,
    scoreBand,
  });
}

function money(minor: bigint, account: { readonly currency: Currency }): string {
  return formatAmount(amount(minor, account.currency));
}

function stateOf(certificate: {
  readonly inConflict: boolean;
  readonly revokedAt: number | null;
  readonly closedAt: number | null;
  readonly expiresAt: number;
}): string {
  if (certificate.inConflict) return "in conflict";
  if (certificate.revokedAt !== null) return "revoked";
  if (certificate.closedAt !== null) return "closed";
  return certificate.expiresAt * 1000 < Date.now() ? "expired" : "open";
}

function showAccount(printer: Printer, account: Account, more: object = {}): void {
  printer.line(`Account ${account.account} "${account.name}" (${account.status})`);
  printer.line(
    `  balance ${money(account.balanceMinor, account)}; credit used ${money(account.creditUsedMinor, account)} of ${money(account.creditLineMinor, account)}, band ${account.scoreBand}`,
  );
  for (const { dueAt, minor } of account.dues)
    printer.line(`  to be repaid by ${formatTime(dueAt)} UTC: ${money(minor, account)}`);
  if (account.overdueMinor > 0n)
    printer.line(`  overdue: ${money(account.overdueMinor, account)}; no certificates until it is repaid`);
  if (account.unresolvedConflicts > 0)
    printer.line(
      `  ${account.unresolvedConflicts} unresolved conflicts: no certificates until resolved (cairn issuer conflicts)`,
    );
  printer.result({ account, ...more });
}
