import type { Command } from "commander";
import { addAccountCommands } from "./accounts.ts";
import { addBackupCommands } from "./backup.ts";
import { addBookCommands } from "./books.ts";
import { addCertificateCommand } from "./certificates.ts";
import { addDeviceCommands } from "./devices.ts";
import { addJournalCommands } from "./journals.ts";
import { addKeyCommands } from "./keys.ts";
import { addMoneyCommands } from "./money.ts";
import { addPayeeCommands } from "./payees.ts";
import { addPaymentIndexCommand } from "./payment-index.ts";
import { addPayoutCommands } from "./payouts.ts";
import { addReportCommands } from "./reports.ts";
import { addReviewCommands } from "./review.ts";
import { addStartCommand } from "./start.ts";
import { addTerminalControlCommands } from "./terminals.ts";
import { addWorkerCommand } from "./worker.ts";

export function addIssuerCommands(program: Command): void {
  const issuer = program.command("issuer").description("Run an issuer, and look after its accounts, payees and books.");
  addStartCommand(issuer);
  addWorkerCommand(issuer);
  addAccountCommands(issuer);
  addPayeeCommands(issuer);
  addTerminalControlCommands(issuer);
  addMoneyCommands(issuer);
  addPayoutCommands(issuer);
  addReportCommands(issuer);
  addBookCommands(issuer);
  addReviewCommands(issuer);
  addDeviceCommands(issuer);
  addCertificateCommand(issuer);
  addKeyCommands(issuer);
  addBackupCommands(issuer);
  addPaymentIndexCommand(issuer);
  addJournalCommands(issuer);
}
