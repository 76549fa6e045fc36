import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type IssuerProcess, must, startIssuerProcess } from "../../../demo/parties.ts";
import { buildApps } from "../../../scripts/build-apps.ts";
import { accessibilityFaults } from "../../../testing/accessibility.ts";
import { TestCamera } from "../../../testing/camera.ts";
import { type BrowserContext, chromiumMissing, openBrowser, type Page } from "../../../testing/chromium.ts";

/** One app in a browser of its own, with a camera that sees what the test holds before it. */
type Phone = { readonly page: Page; readonly browser: BrowserContext; readonly camera: TestCamera };

type World = {
  readonly wallet: Phone;
  readonly terminal: Phone;
  readonly account: number;
  readonly atIssuer: readonly string[];
  /** Ends the wallet's browser without warning and starts it again on the same profile. */
  readonly restartWallet: () => Promise<Phone>;
};

async function openWorld(t: TestContext): Promise<World> {
  await buildApps();
  const folder = await mkdtemp(join(tmpdir(), "cairn-phones-"));
  const open: { issuer?: IssuerProcess; browsers: Set<BrowserContext> } = { browsers: new Set() };
  t.after(async () => {
    for (const browser of open.browsers) await browser.close();
    await open.issuer?.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const issuer = await startIssuerProcess(join(folder, "issuer"));
  open.issuer = issuer;
  const atIssuer = ["--data", join(folder, "issuer")];
  const created = await must(["issuer", "account", "create", "--name", "Ada", "--balance", "60.00", ...atIssuer]);
  const { account } = created.account as { account: number };
  await must(["issuer", "payee", "create", "--id", "KIOSK", "--name", "Harbour Kiosk", ...atIssuer]);
  const walletCode = await must(["issuer", "account", "code", String(account), ...atIssuer]);
  const terminalCode = await must(["issuer", "payee", "code", "KIOSK", ...atIssuer]);

  async function start(app: string, camera: TestCamera, code?: unknown): Promise<Phone> {
    const browser = await openBrowser({ profile: join(folder, `${app}-profile`), camera: camera.file });
    open.browsers.add(browser);
    const page = browser.pages()[0] ?? (await browser.newPage());
    await page.goto(`${issuer.url}/${app}/${code === undefined ? "" : `#enrol=${code}`}`);
    return { page, browser, camera };
  }

  const cameras = { wallet: new TestCamera(join(folder, "w.y4m")), terminal: new TestCamera(join(folder, "t.y4m")) };
  const wallet = await start("wallet", cameras.wallet, walletCode.code);
  await wallet.page.getByRole("button", { name: "Set up" }).waitFor();
  assert.deepEqual(await accessibilityFaults(wallet.page), [], "wallet enrolment");
  await wallet.page.getByRole("button", { name: "Set up" }).click();
  await wallet.page.getByText("of a limit of").waitFor();
  const terminal = await start("terminal", cameras.terminal, terminalCode.code);
  await terminal.page.getByRole("button", { name: "Connect" }).click();
  await terminal.page.getByRole("button", { name: "Charge" }).waitFor();
  // The apps are on the devices from here on.
  for (const { page } of [wallet, terminal]) await page.evaluate("navigator.serviceWorker.ready.then(() => true)");
  return {
    wallet,
    terminal,
    account,
    atIssuer,
    restartWallet: async () => {
      await wallet.browser.close();
      open.browsers.delete(wallet.browser);
      return start("wallet", cameras.wallet);
    },
  };
}

/** Holds what one phone shows before the camera of the other. */
async function hold(from: Phone, name: string | RegExp, to: Phone): Promise<void> {
  to.camera.show(await from.page.getByRole("img", { name }).screenshot());
}

async function charge({ page }: Phone, digits: string): Promise<void> {
  for (const digit of digits) await page.getByRole("button", { name: digit, exact: true }).click();
  await page.getByRole("button", { name: "Charge" }).click();
  await page.getByRole("img", { name: /Payment request/ }).waitFor();
}

const fresh = async (phone: Phone, screen: string): Promise<void> =>
  assert.deepEqual(await accessibilityFaults(phone.page), [], screen);

test("two phones pay by camera with no network: request, consent, restart, payment, receipt, settled", {
  skip: chromiumMissing,
}, async (t) => {
  const world = await openWorld(t);
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
  wallet = await world.restartWallet();
  await wallet.browser.setOffline(true);
  await wallet.page.reload();
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
});

test("a wallet refuses more than its limit, pays nothing, and names the devices of its account", {
  skip: chromiumMissing,
}, async (t) => {
  const { wallet, terminal } = await openWorld(t);
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
