import { type CertificateId, formatMinor, IDENTIFIER_BYTES } from "@cairn/messages";
import type { Command } from "commander";
import { PolicyClient } from "../../client/policy-client.ts";
import { addCommand } from "../command.ts";
import { idOf } from "../identifier-argument.ts";
import { formatTime, table } from "../printer.ts";
import { type OperatorOptions, operatorAccess, withOperatorOptions } from "./operator.ts";

/** `cairn issuer certificate`: why it was issued, and all that happened to it. */
export function addCertificateCommand(issuer: Command): void {
  addCommand<OperatorOptions>(
    issuer,
    "certificate <certificate>",
    "The life of a certificate: why it was issued, and everything that happened to it.",
    withOperatorOptions,
    async (printer, options, id = "") => {
      const certificateId = idOf<CertificateId>(id, IDENTIFIER_BYTES.certificateId, "certificate");
      const life = await new PolicyClient(await operatorAccess(options)).certificate(certificateId);
      const { certificate, currency, state, exposureMinor, heldMinor, events } = life;
      const money = (minor: bigint): string => `${formatMinor(minor, currency)} ${currency}`;
      printer.line(`Certificate ${certificateId} of account ${certificate.account}, device ${certificate.deviceId}`);
      printer.line(
        `  ${state}; limit ${money(certificate.limitMinor)}, settled ${money(certificate.settledMinor)}, may still come ${money(exposureMinor)}, held ${money(heldMinor)}`,
      );
      printer.line();
      for (const line of table(events.map(({ at, event, sentence }) => [formatTime(at), event, sentence])))
        printer.line(`  ${line}`);
      printer.result(life);
    },
  );
}
