import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { must } from "../../../demo/parties.ts";
import { accessibilityFaults } from "../../../testing/accessibility.ts";
import { chromiumMissing } from "../../../testing/chromium.ts";
import { charge, hold, openPhones, type Phone } from "../../../testing/phones.ts";

const fresh = async (phone: Phone, screen: string): Promise<void> =>
  assert.deepEqual(await accessibilityFaults(phone.page), [], screen);

test("two phones pay by camera with no network: request, consent, restart, payment, receipt, settled", {
  skip: chromiumMissing,
}, async (t) => {
  const world = await openPhones((work) => t.after(work));
  const { terminal } = world;
  let { wallet } = world;
  await fresh(wallet, "home");
  for (const { browser } of [wallet, terminal]) await browser.setOffline(true);

  await charge(terminal, "420");
  await hold(terminal, /Payment request/, wallet);
  await wallet.page.getByRole("button", { name: "Scan to pay" }).click();
  await wallet.page.getByText("Harbour Kiosk").waitFor();
  await fresh(wallet, "review");
  await wallet.page.getByRole("button", { name: "Pay €4.20" }).click();
  await wallet.page.getByRole("img", { name: /Payment code/ }).waitFor();
  await fresh(wallet, "code");

  // The browser ends while the code is shown, with no network: it comes back to the same payment.
  wallet.camera.showNothing();
  wallet = await world.restart("wallet", { offline: true });
  await hold(wallet, /Payment code/, terminal);
  await terminal.page.getByRole("button", { name: "Scan payment" }).click();
  await terminal.page.locator("[data-verdict=accepted]").waitFor();

  await hold(terminal, "Receipt for the customer", wallet);
  await wallet.page.getByRole("button", { name: "Scan the receipt" }).click();
  await wallet.page.getByRole("heading", { name: "Paid" }).waitFor();
  await fresh(wallet, "receipt");
  await wallet.page.getByRole("button", { name: "Done" }).click();

  await terminal.browser.setOffline(false);
  await terminal.page.getByRole("button", { name: "Next customer" }).click();
  await terminal.page.getByRole("button", { name: "Sales" }).click();
  await terminal.page.locator("[data-state=settled]").waitFor();
  await wallet.browser.setOffline(false);
  await wallet.page.getByRole("button", { name: "Sync now" }).click();
  await wallet.page.getByText("€55.80").first().waitFor();
  await wallet.page.getByRole("button", { name: "History" }).click();
  await wallet.page.getByText("Settled").waitFor();
  await fresh(wallet, "history");
  await wallet.page.getByRole("button", { name: /Harbour Kiosk/ }).click();
  await wallet.page.getByText("This is final.").waitFor();
  await fresh(wallet, "detail");
  const saving = wallet.page.waitForEvent("download");
  await wallet.page.getByRole("button", { name: "Save the proof" }).click();
  const proof: Record<string, string> = JSON.parse(readFileSync(await (await saving).path(), "utf8"));
  const signed = ["certificate", "payment", "request", "payeeCertificate", "receipt"];
  assert.deepEqual(Object.keys(proof), ["paymentId", "kind", ...signed]);
  // Nobody has to believe the app: what it saved is genuine by the issuer's own word for the payment.
  const evidence = await must(["issuer", "evidence", String(proof.paymentId), ...world.atIssuer]);
  assert.equal((evidence.payment as { readonly state: string }).state, "settled");
});

test("a wallet refuses more than its limit, pays nothing, and names the devices of its account", {
  skip: chromiumMissing,
}, async (t) => {
  const { wallet, terminal } = await openPhones((work) => t.after(work));
  await charge(terminal, "99900");
  await hold(terminal, /Payment request/, wallet);
  await wallet.page.getByRole("button", { name: "Scan to pay" }).click();
  await wallet.page.getByRole("button", { name: /^Pay/ }).click();
  await wallet.page.getByText("Nothing was paid by this.").waitFor();
  await fresh(wallet, "refused");
  await wallet.page.getByRole("button", { name: "Done" }).click();
  await wallet.page.getByRole("button", { name: "History" }).click();
  await wallet.page.getByText("No payments yet.").waitFor();
  await wallet.page.getByRole("button", { name: "More" }).click();
  await wallet.page.getByRole("button", { name: "Show my devices" }).click();
  await wallet.page.getByText("This device").waitFor();
  await fresh(wallet, "more");
});
