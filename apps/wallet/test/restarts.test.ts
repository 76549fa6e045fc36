import assert from "node:assert/strict";
import { test } from "node:test";
import { must } from "../../../demo/parties.ts";
import { chromiumMissing } from "../../../testing/chromium.ts";
import { charge, hold, openPhones, type Phone } from "../../../testing/phones.ts";

const press = ({ page }: Phone, name: string | RegExp): Promise<void> => page.getByRole("button", { name }).click();
const cameraOn = ({ page }: Phone): Promise<void> => page.locator("[data-camera=on]").waitFor();

test("both browsers are killed, offline, in the middle of every step: the sale goes on where it was, and is paid once", {
  skip: chromiumMissing,
}, async (t) => {
  const world = await openPhones((work) => t.after(work));
  let { wallet, terminal }: { wallet: Phone; terminal: Phone } = world;
  const killWallet = async (): Promise<void> => {
    wallet = await world.restart("wallet", { offline: true });
  };
  const killTerminal = async (): Promise<void> => {
    terminal = await world.restart("terminal", { offline: true });
  };
  for (const { browser } of [wallet, terminal]) await browser.setOffline(true);

  await charge(terminal, "420");
  await killTerminal();
  await terminal.page.getByText("This sale was open when the app was closed.").waitFor();
  await hold(terminal, /Payment request/, wallet, "tilted");
  await press(wallet, "Scan to pay");
  await wallet.page.getByText("Harbour Kiosk").waitFor();
  // Nothing was agreed to: nothing is there.
  await killWallet();
  await wallet.page.getByRole("button", { name: "Scan to pay" }).waitFor();
  await press(wallet, "Scan to pay");
  await press(wallet, "Pay €4.20");
  const code = wallet.page.getByRole("img", { name: /Payment code/ });
  await code.waitFor();
  const path = await code.locator("path").getAttribute("d");
  await killWallet();
  const again = wallet.page.getByRole("img", { name: /Payment code/ });
  await again.waitFor();
  assert.equal(await again.locator("path").getAttribute("d"), path, "the very same code");

  await press(terminal, "Scan payment");
  await cameraOn(terminal);
  await killTerminal();
  await terminal.page.getByRole("img", { name: /Payment request/ }).waitFor();
  await hold(wallet, /Payment code/, terminal, "dim");
  await press(terminal, "Scan payment");
  await terminal.page.locator("[data-verdict=accepted]").waitFor();
  // Before anybody could read the verdict.
  await killTerminal();
  await terminal.page.locator("[data-verdict=accepted]").waitFor();

  wallet.camera.showNothing();
  await press(wallet, "Scan the receipt");
  await cameraOn(wallet);
  await killWallet();
  await wallet.page.getByRole("img", { name: /Payment code/ }).waitFor();
  await hold(terminal, "Receipt for the customer", wallet, "blurred");
  await press(wallet, "Scan the receipt");
  await wallet.page.getByRole("heading", { name: "Paid" }).waitFor();
  await killWallet();
  await wallet.page.getByRole("button", { name: "History" }).click();
  await wallet.page.locator("[data-state=receipted]").waitFor();
  terminal.camera.showNothing();
  await press(terminal, "Next customer");
  await terminal.page.locator(".keypad").waitFor();
  await killTerminal();
  await press(terminal, "Sales");
  await terminal.page.locator("[data-stored='1']").waitFor();

  for (const { browser } of [wallet, terminal]) await browser.setOffline(false);
  await press(terminal, "Upload now");
  await terminal.page.locator("[data-state=settled]").waitFor();
  await press(wallet, "Pay");
  await press(wallet, "Sync now");
  await wallet.page.getByText("€55.80").first().waitFor();
  await press(wallet, "History");
  await wallet.page.locator("[data-state=settled]").waitFor();

  // Both histories and the ledger tell the same story: one payment, 4.20, of this account to this kiosk.
  assert.equal(await wallet.page.locator("[data-state]").count(), 1);
  assert.equal(await terminal.page.locator("[data-state]").count(), 1);
  await press(wallet, /Harbour Kiosk/);
  await press(terminal, /€4\.20/);
  const idIn = async ({ page }: Phone): Promise<string | undefined> =>
    (await page.locator(".facts dd").allInnerTexts()).find((text) => /^[0-9a-f]{64}$/.test(text));
  const paymentId = (await idIn(wallet)) ?? "none";
  assert.equal(await idIn(terminal), paymentId);
  const evidence = await must(["issuer", "evidence", paymentId, ...world.atIssuer]);
  const payment = evidence.payment as { readonly state: string; readonly takenMinor: string; readonly payeeId: string };
  assert.deepEqual([payment.state, payment.takenMinor, payment.payeeId], ["settled", "420", "KIOSK"]);
  const { account } = await must(["issuer", "account", "show", String(world.account), ...world.atIssuer]);
  assert.equal((account as { readonly balanceMinor: string }).balanceMinor, "5580");
  assert.deepEqual((await must(["ledger", "verify", ...world.atIssuer])).faults, []);
});
