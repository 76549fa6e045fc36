import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startIssuerProcess } from "../../../demo/parties.ts";
import { buildApps } from "../../../scripts/build-apps.ts";
import { chromiumMissing, openPrivateWindow } from "../../../testing/chromium.ts";
import { charge, hold, openPhones, type Phone } from "../../../testing/phones.ts";
import { openSmallDisk } from "../../../testing/small-disk.ts";

const press = ({ page }: Phone, name: string | RegExp): Promise<void> => page.getByRole("button", { name }).click();

/** Databases of an app share a file: the room that is left in its last block goes to another database. */
const FILL_THE_REST = `new Promise((resolve) => {
  const opened = indexedDB.open("ballast", 1);
  opened.onupgradeneeded = () => opened.result.createObjectStore("ballast");
  opened.onerror = resolve;
  opened.onsuccess = function write() {
    const transaction = opened.result.transaction("ballast", "readwrite", { durability: "strict" });
    transaction.objectStore("ballast").put("", Math.random());
    transaction.oncomplete = write;
    transaction.onabort = resolve;
  };
})`;

test("a full device, the device's own way back and a reload in the middle of paying: told, and nothing is lost", {
  skip: chromiumMissing,
}, async (t) => {
  // Ended last: the browsers have their profiles on it.
  const ends: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const end of ends) await end();
  });
  const disk = await openSmallDisk((work) => void ends.push(work));
  const { wallet, terminal } = await openPhones(
    (work) => void ends.unshift(work),
    disk === undefined ? {} : { disk: disk.folder },
  );
  for (const { browser } of [wallet, terminal]) await browser.setOffline(true);

  // The device's way back goes through the screens, and never out of a request that waits to be paid.
  // As soon as a screen is shown: a finger may be as quick.
  await press(wallet, "History");
  await wallet.page.getByRole("heading", { name: "Payments" }).waitFor();
  await wallet.page.goBack();
  await wallet.page.getByRole("button", { name: "Scan to pay" }).waitFor();
  await charge(terminal, "420");
  await terminal.page.goBack();
  await terminal.page.getByRole("img", { name: /Payment request/ }).waitFor();
  await press(terminal, "Scan payment");
  await terminal.page.getByRole("heading", { name: "Scan the customer’s payment code" }).waitFor();
  await terminal.page.goBack();
  await terminal.page.getByRole("img", { name: /Payment request/ }).waitFor();
  await hold(terminal, /Payment request/, wallet);
  await press(wallet, "Scan to pay");
  await wallet.page.getByText("Harbour Kiosk").waitFor();
  await wallet.page.goBack();
  await wallet.page.getByRole("button", { name: "Scan to pay" }).waitFor();

  // No room: the app starts and says so, nothing is paid, and with room again it goes on.
  await press(wallet, "Scan to pay");
  await wallet.page.getByText("Harbour Kiosk").waitFor();
  if (disk !== undefined) {
    await disk.fill();
    await wallet.page.evaluate(FILL_THE_REST);
    await press(wallet, "Pay €4.20");
    await wallet.page.getByText("it may have no room left").waitFor();
    await disk.empty();
    await press(wallet, "Start the app again");
    // As soon as a screen is shown: a finger may be as quick.
    await press(wallet, "History");
    await wallet.page.getByRole("heading", { name: "Payments" }).waitFor();
    assert.equal(await wallet.page.locator("[data-state]").count(), 0);
    await press(wallet, "Pay");
    await press(wallet, "Scan to pay");
  }
  await press(wallet, "Pay €4.20");
  const code = wallet.page.getByRole("img", { name: /Payment code/ });
  await code.waitFor();
  const path = await code.locator("path").getAttribute("d");

  // Loaded again with the code on the screen: the very same code. The way back leaves it; it stands in the history.
  await wallet.page.reload();
  await code.waitFor();
  assert.equal(await code.locator("path").getAttribute("d"), path);
  await hold(wallet, /Payment code/, terminal);
  await wallet.page.goBack();
  // As soon as a screen is shown: a finger may be as quick.
  await press(wallet, "History");
  await wallet.page.getByRole("heading", { name: "Payments" }).waitFor();
  assert.equal(await wallet.page.locator("[data-state]").count(), 1, "one payment, however often it was tried");

  await press(terminal, "Scan payment");
  await terminal.page.locator("[data-verdict=accepted]").waitFor();
  await terminal.page.goBack();
  await terminal.page.locator("[data-verdict=accepted]").waitFor();
});

test("without a camera the app says what to do, and takes the code as text", { skip: chromiumMissing }, async (t) => {
  await buildApps();
  const folder = await mkdtemp(join(tmpdir(), "cairn-no-camera-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const issuer = await startIssuerProcess(join(folder, "issuer"));
  t.after(() => issuer.stop());
  const { page, close } = await openPrivateWindow();
  t.after(close);
  await page.goto(`${issuer.url}/wallet/`);
  await page.getByRole("button", { name: "Scan the code" }).click();
  await page.locator("[data-camera=denied], [data-camera=missing]").waitFor();
  await page.getByText(/give the code as text below/i).waitFor();
  await page.locator("details.typed summary").click();
  await page.locator("textarea").fill(`${issuer.url}/wallet/#enrol=ABCDE-FGHJK`);
  await page.getByRole("button", { name: "Use this code" }).click();
  assert.equal(await page.locator("input[name=code]").inputValue(), "ABCDE-FGHJK");
});
