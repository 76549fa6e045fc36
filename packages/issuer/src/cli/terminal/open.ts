import { dirname } from "node:path";
import { DEFAULT_COLLECT_POLICY, openTerminal, type Terminal } from "@cairn/collect";
import type { SignatureBatches } from "@cairn/cose";
import { nodeCrypto, openSignatureBatches } from "@cairn/cose/node";
import { openSqliteTerminalJournal, TERMINAL_JOURNAL_FILE } from "@cairn/stores";
import type { Command } from "commander";
import { systemClock, systemRandom } from "../../ports.ts";
import { type DeviceFolder, type DeviceStore, openDeviceFolder } from "../device-folder.ts";

export type TerminalOptions = { readonly data: string };

export const DEFAULT_TERMINAL_FOLDER = ".cairn/terminal";

export const terminalStore: DeviceStore = {
  file: TERMINAL_JOURNAL_FILE,
  create: (path) => openSqliteTerminalJournal(dirname(path)).close(),
};

export function withTerminalOptions(command: Command): Command {
  return command.option("--data <folder>", "the terminal's data folder", DEFAULT_TERMINAL_FOLDER);
}

let opened: { readonly batches: SignatureBatches | undefined } | undefined;

/** Opened with the first upload: it takes a moment that a till at work has not got. */
function signatureBatches(): SignatureBatches | undefined {
  opened ??= { batches: openSignatureBatches() };
  return opened.batches;
}

/** Opens the terminal of a folder for one piece of work, and closes its journal whatever happens. */
export async function withTerminal<Result>(
  options: TerminalOptions,
  work: (terminal: Terminal, folder: DeviceFolder) => Promise<Result>,
  folder?: DeviceFolder,
): Promise<Result> {
  const device = folder ?? (await openDeviceFolder(options.data, "terminal"));
  const journal = openSqliteTerminalJournal(device.path);
  try {
    const ports = {
      journal,
      signer: device.signer,
      crypto: nodeCrypto(),
      signatures: signatureBatches,
      clock: systemClock,
      random: systemRandom,
      policy: DEFAULT_COLLECT_POLICY,
    };
    return await work(openTerminal(ports), device);
  } finally {
    await journal.close();
  }
}
