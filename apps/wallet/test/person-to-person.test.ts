import assert from "node:assert/strict";
import { test } from "node:test";
import { must } from "../../../demo/parties.ts";
import { accessibilityFaults } from "../../../testing/accessibility.ts";
import { chromiumMissing } from "../../../testing/chromium.ts";
import { hold, openPhones, type Phone } from "../../../testing/phones.ts";

const fresh = async ({ page }: Phone, screen: string): Promise<void> =>
  assert.deepEqual(await accessibilityFaults(page), [], screen);
const press = ({ page }: Phone, name: string | RegExp): Promise<void> => page.getByRole("button", { name }).click();

test("one person pays another by camera with no network on either side; the money arrives in the receiver's account", {
  skip: chromiumMissing,
}, async (t) => {
  const world = await openPhones((work) => t.after(work));
  const payer = world.wallet;
  let receiver: Phone = await world.addWallet("Bob", "5.00");
  for (const { browser } of [payer, receiver]) await browser.setOffline(true);

  await press(receiver, "Receive");
  await receiver.page.getByLabel("Amount").fill("7.50");
  await receiver.page.getByLabel("What for (optional)").fill("Lunch");
  await fresh(receiver, "receive");
  await press(receiver, "Show the request");
  await hold(receiver, /Payment request/, payer);
  await fresh(receiver, "ask");
  await press(payer, "Scan to pay");
  await payer.page.getByText("Bob", { exact: true }).waitFor();
  assert.match((await payer.page.locator(".offer").textContent()) ?? "", /A person · P-/);
  await press(payer, "Pay €7.50");
  await payer.page.getByRole("img", { name: /Payment code/ }).waitFor();

  // The receiver's browser ends while the request is open, with no network: it comes back to it.
  receiver = await world.restart("other", { offline: true });
  await receiver.page.getByRole("img", { name: /Payment request/ }).waitFor();
  await hold(payer, /Payment code/, receiver);
  await press(receiver, "Scan the payer’s code");
  await receiver.page.getByRole("heading", { name: "Received" }).waitFor();
  assert.match((await receiver.page.locator(".verdict").textContent()) ?? "", /€7\.50Guaranteed by the issuer/);
  await fresh(receiver, "received");
  // And once more, before anybody has seen the verdict.
  receiver = await world.restart("other", { offline: true });
  await receiver.page.getByRole("heading", { name: "Received" }).waitFor();

  await hold(receiver, "Receipt for the payer", payer);
  await press(payer, "Scan the receipt");
  await payer.page.getByRole("heading", { name: "Paid" }).waitFor();
  await press(payer, "Done");
  await press(receiver, "Done");

  // The same code for another request: it was paid once.
  await press(receiver, "Receive");
  await receiver.page.getByLabel("Amount").fill("7.50");
  await press(receiver, "Show the request");
  await press(receiver, "Scan the payer’s code");
  await receiver.page.getByRole("heading", { name: "Already received" }).waitFor();
  await fresh(receiver, "repeated");
  receiver.camera.showNothing();
  await press(receiver, "Done");

  await press(receiver, "History");
  await receiver.page.locator("[data-state=stored]").waitFor();
  await receiver.browser.setOffline(false);
  await press(receiver, "Pay");
  await press(receiver, "Sync now");
  await receiver.page.getByText("€12.50").first().waitFor();
  await press(receiver, "History");
  await receiver.page.locator("[data-state=settled]").waitFor();
  await press(receiver, /Received.*Lunch/);
  await receiver.page.getByText("The money is in your account.").waitFor();
  await fresh(receiver, "received detail");

  await payer.browser.setOffline(false);
  await press(payer, "Sync now");
  await payer.page.getByText("€52.50").first().waitFor();
  await press(payer, "History");
  await payer.page.locator("[data-state=settled]").waitFor();
  const books = await must(["ledger", "verify", ...world.atIssuer]);
  assert.deepEqual(books.faults, []);
});
