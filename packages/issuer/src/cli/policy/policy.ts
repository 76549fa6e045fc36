import { DEFAULT_POLICY, policyText } from "@cairn/issue";
import { type Currency, type DeviceId, formatMinor, IDENTIFIER_BYTES } from "@cairn/messages";
import type { Command } from "commander";
import type { Explanation, Policy, PolicyInForce } from "../../api/policy-api.ts";
import { PolicyClient } from "../../client/policy-client.ts";
import { PolicyFileError, parsePolicy, readPolicyText } from "../../policy/policy-file.ts";
import { fingerprintOf } from "../../policy/policy-source.ts";
import { addCommand, wholeNumber } from "../command.ts";
import { idOf } from "../identifier-argument.ts";
import { type OperatorOptions, operatorAccess, withOperatorOptions } from "../issuer/operator.ts";
import { CommandError, EXIT } from "../outcome.ts";
import { counted, formatTime, type Printer, table } from "../printer.ts";
import { explanationLines } from "./explanation-lines.ts";

type ShowOptions = OperatorOptions & { readonly builtIn?: boolean; readonly fingerprint?: string };
type ExplainOptions = OperatorOptions & {
  readonly account: number;
  readonly device?: string;
  readonly level?: number;
  readonly ahead?: boolean;
  readonly policy?: string;
};

/** For whoever decides how much may be spent offline: look at a policy, try it out, see which one is in force. */
export function addPolicyCommands(program: Command): void {
  const policy = program.command("policy").description("The issuing policy: check, try out, see which is in force.");

  addCommand(
    policy,
    "check <file>",
    "Say everything that is wrong with a policy file. Exit code 3 when it cannot be used.",
    (command) => command,
    check,
  );

  addCommand<ShowOptions>(
    policy,
    "show",
    "The policy in force as JSON, every default written out.",
    (command) =>
      withOperatorOptions(command)
        .option("--built-in", "the built-in one, to begin a file with; needs no issuer")
        .option("--fingerprint <hex>", "an earlier one, by the fingerprint that certificates keep"),
    show,
  );

  addCommand<OperatorOptions>(
    policy,
    "history",
    "Every policy that was ever in force, with when.",
    withOperatorOptions,
    async (printer, options) => {
      const policies = await (await policyClient(options)).all();
      const rows = policies.flatMap(({ version, fingerprint, inForceFrom }) =>
        inForceFrom.map((at) => ({ at, cells: [formatTime(at), fingerprint, version] })),
      );
      const sorted = rows.toSorted((left, right) => left.at - right.at).map(({ cells }) => cells);
      for (const line of table([["in force from (UTC)", "fingerprint", "version"], ...sorted])) printer.line(line);
      printer.result({ policies });
    },
  );

  addCommand<ExplainOptions>(
    policy,
    "explain",
    "What an account's devices would be given now, line by line. Nothing is issued.",
    (command) =>
      withOperatorOptions(command)
        .requiredOption("--account <number>", "whose devices", wholeNumber(1))
        .option("--device <id>", "this one alone; without it all that are not blocked")
        .option("--level <0-3>", "as if the key were protected like this", wholeNumber(0))
        .option("--ahead", "as if the device asked for a certificate ahead of time")
        .option("--policy <file>", "under this policy file rather than the one in force"),
    explain,
  );
}

async function policyClient(options: OperatorOptions): Promise<PolicyClient> {
  return new PolicyClient(await operatorAccess(options));
}

async function check(printer: Printer, _options: object, file = ""): Promise<void> {
  try {
    const policy = parsePolicy(await readPolicyText(file));
    const fingerprint = fingerprintOf(policy);
    printer.line(`The policy "${policy.version}" can be used. Its fingerprint is ${fingerprint}.`);
    printer.result({ version: policy.version, fingerprint });
  } catch (error) {
    if (!(error instanceof PolicyFileError) || error.code !== "POLICY_FILE_INVALID") throw refusedFile(error);
    for (const { sentence } of error.faults) printer.line(sentence);
    if (printer.json) printer.result({ ok: false, code: error.code, faults: error.faults });
    else printer.line(`The policy cannot be used: ${counted(error.faults.length, "fault")}.`);
    process.exitCode = EXIT.refused;
  }
}

/** What a person can do about a file that is not read at all. */
function refusedFile(error: unknown): unknown {
  if (!(error instanceof PolicyFileError)) return error;
  const next =
    error.code === "POLICY_FILE_INVALID"
      ? "See all faults with: cairn policy check FILE"
      : "Begin a file with: cairn policy show --built-in > policy.json";
  return new CommandError({ code: error.code, sentence: error.message, next, exitCode: EXIT.refused });
}

async function show(printer: Printer, options: ShowOptions): Promise<void> {
  if (options.builtIn === true) {
    const fingerprint = fingerprintOf(DEFAULT_POLICY);
    printer.line(policyText(DEFAULT_POLICY));
    printer.result({ version: DEFAULT_POLICY.version, fingerprint, policy: JSON.parse(policyText(DEFAULT_POLICY)) });
    return;
  }
  const client = await policyClient(options);
  if (options.fingerprint !== undefined) {
    const found = (await client.all()).find(({ fingerprint }) => fingerprint === options.fingerprint);
    if (found === undefined)
      throw new CommandError({
        code: "POLICY_UNKNOWN",
        sentence: `No policy with the fingerprint ${options.fingerprint} was ever in force.`,
        next: "See: cairn policy history",
        exitCode: EXIT.refused,
      });
    showPolicy(printer, found);
    printer.result(found);
    return;
  }
  const inForce = await client.inForce();
  showRefusal(printer, inForce);
  showPolicy(printer, inForce);
  printer.result(inForce);
}

/** The policy itself goes to standard output, so that it can be made a file again; what is said of it to standard error. */
function showPolicy(printer: Printer, { version, fingerprint, inForceFrom, policy }: Policy): void {
  printer.progress(
    `Policy "${version}" (${fingerprint}), in force from ${inForceFrom.map(formatTime).join(", ")} UTC.`,
  );
  printer.line(JSON.stringify(policy, undefined, 2));
}

function showRefusal(printer: Printer, { file, refused }: PolicyInForce): void {
  if (refused === null) return;
  printer.progress(`The file ${file} as it is now is NOT in force (${refused.code}, ${formatTime(refused.at)} UTC):`);
  for (const { sentence } of refused.faults.length > 0 ? refused.faults : [refused]) printer.progress(`  ${sentence}`);
}

async function explain(printer: Printer, options: ExplainOptions): Promise<void> {
  const { account, device, level, ahead = false } = options;
  if (level !== undefined && level > 3)
    throw new CommandError({
      code: "LEVEL_UNKNOWN",
      sentence: `There is no protection level ${level}.`,
      next: "Use 0 (software key) to 3 (certified hardware).",
      exitCode: EXIT.usage,
    });
  const explanation = await (await policyClient(options)).explain(account, {
    ahead,
    ...(device === undefined ? {} : { deviceId: idOf<DeviceId>(device, IDENTIFIER_BYTES.deviceId, "device") }),
    ...(level === 0 || level === 1 || level === 2 || level === 3 ? { protection: level } : {}),
    ...(options.policy === undefined ? {} : { policy: await readTried(options.policy) }),
  });
  printer.line(`Account ${account}, policy "${explanation.version}" (${explanation.fingerprint})`);
  showOpen(printer, explanation);
  for (const each of explanation.devices) showDevice(printer, each, explanation.currency);
  printer.result(explanation);
}

async function readTried(file: string): Promise<unknown> {
  try {
    return JSON.parse(policyText(parsePolicy(await readPolicyText(file))));
  } catch (error) {
    throw refusedFile(error);
  }
}

function showOpen(printer: Printer, { open, currency }: Explanation): void {
  if (open.length === 0) return;
  const rows = open.map((each) => [
    each.certificateId,
    each.state,
    formatMinor(each.limitMinor, currency),
    formatMinor(each.exposureMinor, currency),
    formatMinor(each.heldMinor, currency),
    formatTime(each.expiresAt),
  ]);
  const head = ["certificate", "state", "limit", "exposure", "held", "expires (UTC)"];
  printer.line();
  for (const line of table([head, ...rows], [2, 3, 4])) printer.line(`  ${line}`);
}

function showDevice(printer: Printer, device: Explanation["devices"][number], currency: Currency): void {
  printer.line();
  printer.line(`Device ${device.deviceId} (key protection ${device.protection}): ${DECISIONS[device.decision]}`);
  for (const line of explanationLines(device, currency)) printer.line(`  ${line}`);
}

const DECISIONS = {
  issue: "a certificate would be issued",
  refuse: "refused",
  none: "no condition holds; this is what one would look like",
} as const;
