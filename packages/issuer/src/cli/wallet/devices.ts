import { nodeCrypto } from "@cairn/cose/node";
import { type DeviceId, IDENTIFIER_BYTES } from "@cairn/messages";
import type { Command } from "commander";
import { IssuerClient } from "../../client/issuer-client.ts";
import { addCommand } from "../command.ts";
import { openDeviceFolder } from "../device-folder.ts";
import { idOf } from "../identifier-argument.ts";
import { issuerAddress } from "../issuer-address.ts";
import { counted, formatTime, table } from "../printer.ts";
import { type WalletOptions, withWalletOptions } from "./open.ts";

/** What a person does about the account's other devices. */
export function addDeviceCommands(wallet: Command): void {
  addCommand<WalletOptions>(
    wallet,
    "devices",
    "The devices of this wallet's account.",
    withWalletOptions,
    async (printer, options) => {
      const devices = await (await clientOf(options)).devices();
      const rows = devices.map(({ deviceId, label, enrolledAt, status, isCaller }) => [
        deviceId,
        label,
        formatTime(enrolledAt),
        isCaller ? "this one" : status === "frozen" ? "BLOCKED" : "",
      ]);
      for (const line of table([["device", "name", "enrolled (UTC)", ""], ...rows])) printer.line(line);
      printer.result({ devices });
    },
  );

  addCommand<WalletOptions>(
    wallet,
    "lost <device>",
    "Report another device of the account lost: it is blocked and its certificates are withdrawn.",
    withWalletOptions,
    async (printer, options, id = "") => {
      const deviceId = idOf<DeviceId>(id, IDENTIFIER_BYTES.deviceId, "device");
      const withdrawn = await (await clientOf(options)).reportLoss(deviceId);
      printer.line(
        `Blocked; ${counted(withdrawn, "certificate")} withdrawn. Terminals refuse them from their next sync on.`,
      );
      printer.result({ withdrawn });
    },
  );
}

async function clientOf(options: WalletOptions): Promise<IssuerClient> {
  const { path, signer } = await openDeviceFolder(options.data, "wallet");
  return new IssuerClient({ url: await issuerAddress(path, "wallet"), signer, crypto: nodeCrypto() });
}
