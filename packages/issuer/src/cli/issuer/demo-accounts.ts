import { amount, currency, formatAmount, type PayeeId } from "@cairn/messages";
import { OperatorClient } from "../../client/operator-client.ts";
import type { RunningIssuer } from "../../options.ts";
import type { Printer } from "../printer.ts";

const EUR = currency("EUR");
const DEMO = {
  account: "Ada",
  balanceMinor: 3_000n,
  creditMinor: 5_000n,
  payeeId: "KIOSK" as PayeeId,
  payee: "Harbour Kiosk",
};

/** One payer with a balance and a credit line, one payee, and what to type to try them. On later starts only new codes. */
export async function createDemoAccounts(issuer: RunningIssuer, folder: string, printer: Printer): Promise<object> {
  const client = new OperatorClient({ url: issuer.url, token: issuer.operatorToken });
  const known = (await client.accounts()).find(({ name }) => name === DEMO.account);
  const account = known ?? (await client.createAccount({ name: DEMO.account, currency: EUR }));
  if (known === undefined) {
    await client.topUp(account.account, { amountMinor: DEMO.balanceMinor, idempotencyKey: "demo-first-top-up" });
    await client.setCredit(account.account, { lineMinor: DEMO.creditMinor, overdueMinor: 0n, scoreBand: "B" });
  }
  const payees = await client.payees();
  if (!payees.some(({ payeeId }) => payeeId === DEMO.payeeId)) {
    await client.createPayee({ payeeId: DEMO.payeeId, name: DEMO.payee, currency: EUR });
  }
  const walletCode = await client.createDeviceCode(account.account);
  const terminalCode = await client.createTerminalCode(DEMO.payeeId);
  printer.line(`
Demo account ${account.account} "${DEMO.account}": ${formatAmount(amount(DEMO.balanceMinor, EUR))} balance, ${formatAmount(amount(DEMO.creditMinor, EUR))} credit line. Demo payee "${DEMO.payee}".
${appLinks(issuer, walletCode.code, terminalCode.code)}In another window:

  npm run -s cairn -- wallet enrol --issuer ${issuer.url} --code ${walletCode.code}
  npm run -s cairn -- wallet sync
  npm run -s cairn -- terminal enrol --issuer ${issuer.url} --code ${terminalCode.code}
  npm run -s cairn -- terminal charge 4.50 --png request.png
  npm run -s cairn -- wallet pay --image request.png --png payment.png
  npm run -s cairn -- terminal accept --image payment.png
  npm run -s cairn -- terminal upload
  npm run -s cairn -- issuer ledger --data ${folder}
`);
  return {
    account: account.account,
    walletCode: walletCode.code,
    payeeId: DEMO.payeeId,
    terminalCode: terminalCode.code,
  };
}

/** A link with the one-time code behind the "#", which no browser sends to any server. */
function appLinks(issuer: RunningIssuer, walletCode: string, terminalCode: string): string {
  if (issuer.apps.length === 0) return "";
  return `Open both, in two windows:

  ${issuer.url}/wallet/#enrol=${walletCode}
  ${issuer.url}/terminal/#enrol=${terminalCode}

`;
}
