import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { OperatorClient, startIssuer } from "@cairn/issuer";
import { currency } from "@cairn/messages";
import { buildApps } from "../../../scripts/build-apps.ts";
import { chromiumMissing, openBrowser, openPrivateWindow, type Page } from "../../../testing/chromium.ts";
import { openPhones } from "../../../testing/phones.ts";

const skip = chromiumMissing;
const press = (page: Page, name: string | RegExp): Promise<void> => page.getByRole("button", { name }).click();

test("both apps ask no other origin, work in one window alone, by keyboard, and stop when the clock is wrong", {
  skip,
}, async (t) => {
  const world = await openPhones((work) => t.after(work));
  const { wallet, terminal, url } = world;
  const foreign: string[] = [];
  for (const { browser } of [wallet, terminal])
    browser.on("request", (request) => {
      if (!request.url().startsWith(`${url}/`) && !/^(?:blob|data):/.test(request.url())) foreign.push(request.url());
    });

  // Another origin: the page's own policy says no, before anything leaves.
  for (const { page } of [wallet, terminal]) {
    const answer = await page.evaluate(`new Promise((resolve) => {
      addEventListener("securitypolicyviolation", ({ violatedDirective }) => resolve(violatedDirective), { once: true });
      fetch("https://example.com/").catch(() => undefined);
    })`);
    assert.equal(answer, "connect-src");
    const inline = await page.evaluate(`(() => {
      const script = document.createElement("script");
      script.textContent = "globalThis.inlineRan = true";
      document.head.append(script);
      return globalThis.inlineRan === true;
    })()`);
    assert.equal(inline, false, "no script that is not a file of the app");
  }

  // By keyboard alone: a sale is asked for and given up; the focus begins at each screen's heading.
  const till = terminal.page;
  for (const key of ["4", "2", "5", "Backspace", "0", "Enter"]) await till.keyboard.press(key);
  await till.getByRole("img", { name: "Payment request, €4.20" }).waitFor();
  assert.equal(await till.evaluate("document.activeElement.tagName"), "H1");
  await till.keyboard.press("Tab");
  assert.equal(await till.evaluate("document.activeElement.textContent"), "Scan payment");
  await till.keyboard.press("Tab");
  await till.keyboard.press("Enter");
  await till.getByRole("heading", { name: "Sale cancelled" }).waitFor();
  await till.keyboard.press("Tab");
  await till.keyboard.press("Enter");
  await till.locator(".keypad").waitFor();
  await wallet.page.getByRole("button", { name: "Scan to pay" }).focus();
  await wallet.page.keyboard.press("Enter");
  await wallet.page.locator("summary").focus();
  await wallet.page.keyboard.press("Enter");
  await wallet.page.keyboard.press("Tab");
  await wallet.page.keyboard.type("not a code");
  await wallet.page.keyboard.press("Tab");
  await wallet.page.keyboard.press("Enter");
  await wallet.page.getByText("This is no code of a payee.").waitFor();
  await press(wallet.page, "Back");

  // One window signs; a second one says so, and takes over only when it is told to.
  for (const { browser, page } of [wallet, terminal]) {
    const second = await browser.newPage();
    await second.goto(page.url());
    await second.getByRole("heading", { name: "Open in another window" }).waitFor();
    assert.equal(await second.locator(".tabs").count(), 0);
    await press(second, "Use it here");
    await second.locator(".tabs").waitFor();
    await page.getByRole("heading", { name: "Open in another window" }).waitFor();
    await press(page, "Use it here");
    await page.locator(".tabs").waitFor();
    await second.close();
  }

  // Signatures prove that it is later than the device says: nothing is begun before it is set.
  for (const { browser, page } of [wallet, terminal]) {
    await browser.setOffline(true);
    await page.clock.setFixedTime(Date.now() - 2 * 3_600_000);
    await page.reload();
    await page.getByText("This device’s clock is far behind").waitFor();
  }
  assert.equal(await wallet.page.getByRole("button", { name: "Scan to pay" }).isDisabled(), true);
  assert.equal(await wallet.page.getByRole("button", { name: "Receive" }).isDisabled(), true);
  await till.keyboard.press("1");
  assert.equal(await till.getByRole("button", { name: "Charge" }).isDisabled(), true);

  // Who sets the clock and comes back goes on.
  for (const { page } of [wallet, terminal]) {
    await page.clock.setFixedTime(Date.now());
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await page.getByText("This device’s clock is far behind").waitFor({ state: "detached" });
  }
  assert.equal(await wallet.page.getByRole("button", { name: "Scan to pay" }).isDisabled(), false);
  assert.equal(await till.getByRole("button", { name: "Charge" }).isDisabled(), false);
  assert.deepEqual(
    foreign.filter((address) => address !== "https://example.com/"),
    [],
  );
});

test("a private window is warned of before anything is set up in it", { skip }, async (t) => {
  await buildApps();
  const { url } = await startOwnIssuer(t);
  for (const app of ["wallet", "terminal"]) {
    const { page, close } = await openPrivateWindow();
    t.after(close);
    await page.goto(`${url}/${app}/`);
    await page.getByText("In a private window everything is lost when it is closed.").waitFor();
  }
});

/** An issuer in this process, on a folder of its own and at a port that stays the same. */
async function startOwnIssuer(t: TestContext, options: { readonly appsFolder?: string } = {}) {
  const dataFolder = await mkdtemp(join(tmpdir(), "cairn-issuer-"));
  t.after(() => rm(dataFolder, { recursive: true, force: true, maxRetries: 5 }));
  const about = { dataFolder, passphrase: "correct horse", issuerId: "test-bank", issuerName: "Test Bank" };
  const start = (port: number) => startIssuer({ ...about, ...options, port, logLevel: "silent" });
  let running = await start(0);
  t.after(() => running.close());
  const { url, operatorToken } = running;
  return {
    url,
    operator: new OperatorClient({ url, token: operatorToken }),
    restart: async () => {
      await running.close();
      running = await start(Number(new URL(url).port));
    },
  };
}

/** The built apps in a folder of their own, so that a test may change them. */
async function ownApps(t: TestContext): Promise<string> {
  await buildApps();
  const folder = await mkdtemp(join(tmpdir(), "cairn-apps-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await cp(fileURLToPath(new URL("../dist", import.meta.url)), join(folder, "wallet/dist"), { recursive: true });
  return folder;
}

/** A newer version, as a server would bring it: another page, named by another version of the service worker. */
async function release(folder: string): Promise<void> {
  const dist = join(folder, "wallet/dist");
  const change = async (file: string, from: string | RegExp, to: string): Promise<void> => {
    const text = await readFile(join(dist, file), "utf8");
    assert.match(text, typeof from === "string" ? new RegExp(from) : from);
    await writeFile(join(dist, file), text.replace(from, to));
    for (const copy of ["br", "gz"]) await rm(join(dist, `${file}.${copy}`));
  };
  await change("index.html", "<title>Cairn wallet</title>", "<title>Cairn wallet, newer</title>");
  await change("sw.js", /VERSION ?= ?"[0-9a-f]+"/, 'VERSION="0123456789abcdef"');
}

test("a newer version waits until no payment is under way, and until somebody starts it", { skip }, async (t) => {
  const appsFolder = await ownApps(t);
  const at = await startOwnIssuer(t, { appsFolder });
  const { account } = await at.operator.createAccount({ name: "Ada", currency: currency("EUR") });
  await at.operator.topUp(account, { amountMinor: 6_000n, idempotencyKey: "first" });
  const { code } = await at.operator.createDeviceCode(account);
  const profile = await mkdtemp(join(tmpdir(), "cairn-update-"));
  const browser = await openBrowser({ profile });
  t.after(async () => {
    await browser.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  const page = browser.pages()[0] ?? (await browser.newPage());
  await page.goto(`${at.url}/wallet/#enrol=${code}`);
  await press(page, "Set up");
  await page.locator("[data-synced=yes]").waitFor();
  await page.evaluate("navigator.serviceWorker.ready.then(() => true)");
  await page.reload();
  await press(page, "Code for a gate");
  await page.getByLabel("At most").fill("2.00");
  await press(page, "Show the code");
  await page.getByRole("img", { name: /Payment code/ }).waitFor();
  await page.evaluate("globalThis.sameDocument = true");

  await release(appsFolder);
  await at.restart();
  await page.evaluate(`navigator.serviceWorker.ready.then(async (registration) => {
    await registration.update();
    while (registration.waiting === null) await new Promise((resolve) => setTimeout(resolve, 50));
  })`);
  assert.equal(await page.getByText("A new version is ready.").count(), 0, "not while a code is shown");
  assert.equal(await page.getByRole("img", { name: /Payment code/ }).count(), 1);
  await press(page, "Done without a receipt");
  await page.getByText("A new version is ready.").waitFor();
  assert.equal(await page.evaluate("globalThis.sameDocument"), true);
  assert.equal(await page.title(), "Cairn wallet");
  await press(page, "Start it");
  await page.waitForFunction("document.title === 'Cairn wallet, newer'");
  await page.getByText("You can pay offline").waitFor();
});
