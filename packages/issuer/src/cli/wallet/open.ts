import { join } from "node:path";
import { nodeCrypto } from "@cairn/cose/node";
import type { WalletPorts } from "@cairn/pay";
import { SqliteWalletStore, WALLET_FILE } from "@cairn/stores";
import type { Command } from "commander";
import { systemClock } from "../../ports.ts";
import { type DeviceFolder, type DeviceStore, openDeviceFolder } from "../device-folder.ts";

export type WalletOptions = { readonly data: string };

export const DEFAULT_WALLET_FOLDER = ".cairn/wallet";

export const walletStore: DeviceStore = {
  file: WALLET_FILE,
  create: (path) => new SqliteWalletStore(path).close(),
};

export function withWalletOptions(command: Command): Command {
  return command.option("--data <folder>", "the wallet's data folder", DEFAULT_WALLET_FOLDER);
}

/** Opens the wallet of a folder for one piece of work, and closes its store whatever happens. */
export async function withWallet<Result>(
  options: WalletOptions,
  work: (ports: WalletPorts, folder: DeviceFolder) => Promise<Result>,
  folder?: DeviceFolder,
): Promise<Result> {
  const device = folder ?? (await openDeviceFolder(options.data, "wallet"));
  const store = new SqliteWalletStore(join(device.path, WALLET_FILE));
  try {
    return await work({ store, signer: device.signer, crypto: nodeCrypto(), clock: systemClock }, device);
  } finally {
    await store.close();
  }
}
