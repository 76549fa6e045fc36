import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { OperatorClient } from "../../client/operator-client.ts";
import { CommandError } from "../outcome.ts";

/** How an operator's command finds the running server and shows that it may. */
export type OperatorOptions = { readonly data: string; readonly issuer?: string };

export const DEFAULT_ISSUER_FOLDER = ".cairn/issuer";
/** Written by `cairn issuer start` beside the token, so that commands on the same machine need no address. */
export const ADDRESS_FILE = "address";
export const TOKEN_FILE = "operator-token";

export function withOperatorOptions(command: Command): Command {
  return command
    .option("--data <folder>", "the issuer's data folder, for its operator token and address", DEFAULT_ISSUER_FOLDER)
    .option(
      "--issuer <url>",
      "the issuer's address, when it runs elsewhere (the token still comes from --data or CAIRN_OPERATOR_TOKEN)",
    );
}

/** @throws CommandError ISSUER_NOT_FOUND when neither folder nor options say where the issuer is. */
export async function operatorClient(options: OperatorOptions): Promise<OperatorClient> {
  return new OperatorClient(await operatorAccess(options));
}

/** Where the issuer is, and the token that opens it. @throws CommandError ISSUER_NOT_FOUND */
export async function operatorAccess(
  options: OperatorOptions,
): Promise<{ readonly url: string; readonly token: string }> {
  const token = process.env.CAIRN_OPERATOR_TOKEN ?? (await readLine(join(options.data, TOKEN_FILE)));
  const url = options.issuer ?? (await readLine(join(options.data, ADDRESS_FILE)));
  if (token === undefined || url === undefined) {
    throw new CommandError({
      code: "ISSUER_NOT_FOUND",
      sentence: `No issuer was started from ${options.data}.`,
      next: "Start one with: cairn issuer start   or name its folder with --data.",
    });
  }
  return { url, token };
}

async function readLine(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
