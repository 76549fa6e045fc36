import { type CertificateId, type DeviceId, IDENTIFIER_BYTES } from "@cairn/messages";
import type { Command } from "commander";
import { addCommand } from "../command.ts";
import { idOf } from "../identifier-argument.ts";
import { counted } from "../printer.ts";
import { type OperatorOptions, operatorClient, withOperatorOptions } from "./operator.ts";

/** Lost phones, found phones, and revocations that were a mistake. */
export function addDeviceCommands(issuer: Command): void {
  const device = issuer.command("device").description("Wallet devices: lost and found.");

  addCommand<OperatorOptions>(
    device,
    "lost <device>",
    "Block a lost device and withdraw its certificates. The account's other devices can do this themselves.",
    withOperatorOptions,
    async (printer, options, id = "") => {
      const deviceId = idOf<DeviceId>(id, IDENTIFIER_BYTES.deviceId, "device");
      const certificates = await (await operatorClient(options)).reportLoss(deviceId);
      printer.line(
        `Blocked; ${counted(certificates, "certificate")} withdrawn. Terminals refuse them from their next sync on.`,
      );
      printer.result({ certificates });
    },
  );

  addCommand<OperatorOptions>(
    device,
    "found <device>",
    "Take a loss back: unblock the device and restore the certificates that the loss withdrew.",
    withOperatorOptions,
    async (printer, options, id = "") => {
      const deviceId = idOf<DeviceId>(id, IDENTIFIER_BYTES.deviceId, "device");
      const certificates = await (await operatorClient(options)).reportFound(deviceId);
      printer.line(`Unblocked; ${counted(certificates, "certificate")} restored.`);
      printer.result({ certificates });
    },
  );

  addCommand<OperatorOptions>(
    issuer,
    "restore <certificate>",
    "Take a mistaken revocation back. Not where a conflict was proven.",
    withOperatorOptions,
    async (printer, options, id = "") => {
      const certificateId = idOf<CertificateId>(id, IDENTIFIER_BYTES.certificateId, "certificate");
      const answer = await (await operatorClient(options)).restore(certificateId);
      printer.line(answer.repeated ? "It was not revoked." : "Restored; the new status list is published.");
      printer.result(answer);
    },
  );
}
