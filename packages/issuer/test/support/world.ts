import type { TestContext } from "node:test";
import type { IssuerOptions } from "../../src/options.ts";
import { startTestIssuer, type TestIssuer } from "./issuer.ts";
import { TestTerminal } from "./terminal.ts";
import { EUR, payeeId } from "./values.ts";
import { TestWallet } from "./wallet.ts";

export type World = TestIssuer & {
  readonly account: number;
  readonly wallet: TestWallet;
  readonly terminal: TestTerminal;
};

export const KIOSK = payeeId("KIOSK");

/** An issuer, an account with 30.00 on it and a credit line of 50.00, a wallet of it, and a kiosk with one till. */
export async function makeWorld(t: TestContext, options: Partial<IssuerOptions> = {}): Promise<World> {
  return populate(await startTestIssuer(t, options));
}

/** The same at an issuer that runs already. */
export async function populate(at: TestIssuer): Promise<World> {
  const { account } = await at.operator.createAccount({ name: "Ada", currency: EUR });
  await at.operator.topUp(account, { amountMinor: 3_000n, idempotencyKey: "first" });
  await at.operator.setCredit(account, { lineMinor: 5_000n, overdueMinor: 0n, scoreBand: "A" });
  await at.operator.createPayee({ payeeId: KIOSK, name: "Harbour Kiosk", currency: EUR });
  const wallet = await addWallet(at, account);
  const terminal = await addTerminal(at);
  return { ...at, account, wallet, terminal };
}

export async function addWallet(at: TestIssuer, account: number): Promise<TestWallet> {
  return new TestWallet(at).enrol((await at.operator.createDeviceCode(account)).code);
}

export async function addTerminal(at: TestIssuer, payee = KIOSK): Promise<TestTerminal> {
  return new TestTerminal(at).enrol((await at.operator.createTerminalCode(payee)).code);
}
