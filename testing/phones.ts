import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type IssuerProcess, must, startIssuerProcess } from "../demo/parties.ts";
import { buildApps } from "../scripts/build-apps.ts";
import { TestCamera } from "./camera.ts";
import { type BrowserContext, killBrowser, openBrowser, type Page } from "./chromium.ts";
import { type Frame, photograph } from "./frames.ts";

/** One app in a browser of its own, with a camera that sees what the test holds before it. */
export type Phone = { readonly page: Page; readonly browser: BrowserContext; readonly camera: TestCamera };

export type World = {
  readonly wallet: Phone;
  readonly terminal: Phone;
  readonly url: string;
  readonly folder: string;
  readonly account: number;
  readonly atIssuer: readonly string[];
  /** Ends a browser without warning and starts it again on the same profile, offline or not. */
  readonly restart: (which: "wallet" | "terminal" | "other", options?: { readonly offline: boolean }) => Promise<Phone>;
  /** A second wallet, of an account of its own. */
  readonly addWallet: (name: string, balance: string) => Promise<Phone & { readonly account: number }>;
};

export type Size = { readonly width: number; readonly height: number };
export type PhoneOptions = {
  readonly viewport?: Size;
  readonly dark?: boolean;
  readonly language?: string;
  /** In which issuer and profiles get a folder. Default: the system's for temporary files. */
  readonly disk?: string;
};

/** An issuer, a wallet with 60.00 on its account and a till, enrolled and online. `after` is told how to end them. */
export async function openPhones(
  after: (work: () => Promise<void>) => void,
  { disk = tmpdir(), ...options }: PhoneOptions = {},
  /** Shown each app before it is enrolled. */
  look: (name: string, phone: Phone) => Promise<void> = async () => undefined,
): Promise<World> {
  await buildApps();
  const folder = await mkdtemp(join(disk, "cairn-phones-"));
  const open: { issuer?: IssuerProcess; browsers: Set<BrowserContext> } = { browsers: new Set() };
  after(async () => {
    for (const browser of open.browsers) await browser.close();
    await open.issuer?.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const issuer = await startIssuerProcess(join(folder, "issuer"));
  open.issuer = issuer;
  const atIssuer = ["--data", join(folder, "issuer")];
  const phones = new Map<string, Phone>();

  async function start(name: string, camera: TestCamera, { code = "", offline = false } = {}): Promise<Phone> {
    const app = name === "terminal" ? "terminal" : "wallet";
    const browser = await openBrowser({ profile: join(folder, `${name}-profile`), camera: camera.file, ...options });
    open.browsers.add(browser);
    if (offline) await browser.setOffline(true);
    const page = browser.pages()[0] ?? (await browser.newPage());
    await page.goto(`${issuer.url}/${app}/${code === "" ? "" : `#enrol=${code}`}`);
    const phone = { page, browser, camera };
    phones.set(name, phone);
    return phone;
  }

  async function startWallet(name: string, owner: string, balance: string) {
    const created = await must(["issuer", "account", "create", "--name", owner, "--balance", balance, ...atIssuer]);
    const { account } = created.account as { account: number };
    const { code } = await must(["issuer", "account", "code", String(account), ...atIssuer]);
    const phone = await start(name, new TestCamera(join(folder, `${name}.y4m`)), { code: String(code) });
    await phone.page.locator("button[type=submit]").waitFor();
    if (name === "wallet") await look("wallet/set-up", phone);
    await phone.page.locator("button[type=submit]").click();
    await phone.page.locator(".purse .meter").waitFor();
    // It pays and receives, and the app is on the device, from here on.
    await phone.page.locator("[data-synced=yes]").waitFor();
    await phone.page.evaluate("navigator.serviceWorker.ready.then(() => true)");
    return { ...phone, account };
  }

  const { account, ...wallet } = await startWallet("wallet", "Ada", "60.00");
  await must(["issuer", "payee", "create", "--id", "KIOSK", "--name", "Harbour Kiosk", ...atIssuer]);
  const { code } = await must(["issuer", "payee", "code", "KIOSK", ...atIssuer]);
  const terminal = await start("terminal", new TestCamera(join(folder, "terminal.y4m")), { code: String(code) });
  await terminal.page.locator("button[type=submit]").waitFor();
  await look("terminal/connect", terminal);
  await terminal.page.locator("button[type=submit]").click();
  await terminal.page.locator(".keypad").waitFor();
  await terminal.page.evaluate("navigator.serviceWorker.ready.then(() => true)");
  return {
    wallet,
    terminal,
    url: issuer.url,
    folder,
    account,
    atIssuer,
    restart: async (which, { offline } = { offline: false }) => {
      const phone = phones.get(which);
      if (phone === undefined) throw new Error(`There is no phone "${which}".`);
      await killBrowser(join(folder, `${which}-profile`));
      await phone.browser.close().catch(() => undefined);
      open.browsers.delete(phone.browser);
      return start(which, phone.camera, { offline });
    },
    addWallet: (name, balance) => startWallet("other", name, balance),
  };
}

/** Holds what one phone shows before the camera of the other. */
export async function hold(from: Phone, name: string | RegExp, to: Phone, frame?: Frame): Promise<void> {
  const picture = await from.page.getByRole("img", { name }).screenshot();
  to.camera.show(frame === undefined ? picture : await photograph(from.browser, picture, frame));
  await from.page.bringToFront();
}

export async function charge({ page }: Phone, digits: string): Promise<void> {
  for (const digit of digits) await page.getByRole("button", { name: digit, exact: true }).click();
  await page.getByRole("button", { name: "Charge" }).click();
  await page.getByRole("img", { name: /Payment request/ }).waitFor();
}
