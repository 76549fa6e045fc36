import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type IssuerProcess, must, startIssuerProcess } from "../demo/parties.ts";
import { buildApps } from "../scripts/build-apps.ts";
import { TestCamera } from "./camera.ts";
import { type BrowserContext, openBrowser, type Page } from "./chromium.ts";

/** One app in a browser of its own, with a camera that sees what the test holds before it. */
export type Phone = { readonly page: Page; readonly browser: BrowserContext; readonly camera: TestCamera };

export type World = {
  readonly wallet: Phone;
  readonly terminal: Phone;
  readonly url: string;
  readonly account: number;
  readonly atIssuer: readonly string[];
  /** Ends the wallet's browser without warning and starts it again on the same profile. */
  readonly restartWallet: () => Promise<Phone>;
};

/** An issuer, a wallet with 60.00 on its account and a till, enrolled and online. `after` is told how to end them. */
export async function openPhones(after: (work: () => Promise<void>) => void): Promise<World> {
  await buildApps();
  const folder = await mkdtemp(join(tmpdir(), "cairn-phones-"));
  const open: { issuer?: IssuerProcess; browsers: Set<BrowserContext> } = { browsers: new Set() };
  after(async () => {
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
    url: issuer.url,
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
export async function hold(from: Phone, name: string | RegExp, to: Phone): Promise<void> {
  to.camera.show(await from.page.getByRole("img", { name }).screenshot());
}

export async function charge({ page }: Phone, digits: string): Promise<void> {
  for (const digit of digits) await page.getByRole("button", { name: digit, exact: true }).click();
  await page.getByRole("button", { name: "Charge" }).click();
  await page.getByRole("img", { name: /Payment request/ }).waitFor();
}
