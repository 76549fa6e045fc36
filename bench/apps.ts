import { glob, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { APPS } from "../scripts/build-apps.ts";
import { openBrowser, type Page } from "../testing/chromium.ts";
import { charge, hold, openPhones, type Phone } from "../testing/phones.ts";

/**
 * What the apps weigh and how fast they are, in real Chromium on this machine: compressed bytes as they are sent, first
 * load on an empty profile, start with no network, and from holding a code before the camera to the verdict on the
 * screen, which includes the camera's own 100 ms between two frames.
 */
const ROUNDS = 9;

export async function apps(report: (line: string) => void): Promise<Record<string, unknown>> {
  const endings: (() => Promise<void>)[] = [];
  try {
    report("starting an issuer, a wallet and a till");
    const { wallet, terminal, url } = await openPhones((work) => void endings.push(work));
    const figures: Record<string, unknown> = { rounds: ROUNDS };
    for (const app of APPS) Object.assign(figures, await weigh(app));
    for (const app of APPS) figures[`${app}FirstLoadMilliseconds`] = await firstLoad(`${url}/${app}/`);
    report("starting with no network");
    for (const { browser } of [wallet, terminal]) await browser.setOffline(true);
    for (const [app, { page }] of [["wallet", wallet] as const, ["terminal", terminal] as const])
      figures[`${app}OfflineStartMilliseconds`] = await median(() => offlineStart(page));
    report("scanning");
    Object.assign(figures, await scans(wallet, terminal));
    return figures;
  } finally {
    for (const end of endings) await end();
  }
}

async function weigh(app: string): Promise<Record<string, number>> {
  const folder = fileURLToPath(new URL(`../apps/${app}/dist/`, import.meta.url));
  const sum = async (ending: string): Promise<number> => {
    let bytes = 0;
    for await (const file of glob(ending.startsWith(".") ? `**/*${ending}` : `**/${ending}`, { cwd: folder }))
      bytes += (await stat(join(folder, file))).size;
    return bytes;
  };
  return {
    [`${app}JavaScriptBrotliBytes`]: await sum(".js.br"),
    [`${app}JavaScriptOfCodeReaderBrotliBytes`]: await sum("reader-worker-*.js.br"),
    [`${app}JavaScriptGzipBytes`]: await sum(".js.gz"),
    [`${app}WebAssemblyBrotliBytes`]: await sum(".wasm.br"),
  };
}

async function firstLoad(url: string): Promise<number> {
  return median(async () => {
    const profile = await mkdtemp(join(tmpdir(), "cairn-bench-"));
    const browser = await openBrowser({ profile });
    try {
      const page = browser.pages()[0] ?? (await browser.newPage());
      const from = performance.now();
      await page.goto(url);
      await page.locator("h1").waitFor();
      return performance.now() - from;
    } finally {
      await browser.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    }
  });
}

async function offlineStart(page: Page): Promise<number> {
  const from = performance.now();
  await page.reload();
  await page.locator("h1").waitFor();
  return performance.now() - from;
}

/** The request is read by the wallet, then the payment by the till, which answers the same payment again and again. */
async function scans(wallet: Phone, terminal: Phone): Promise<Record<string, number>> {
  await charge(terminal, "420");
  const toReview = await median(async () => {
    wallet.camera.showNothing();
    await wallet.page.getByRole("button", { name: "Scan to pay" }).click();
    await wallet.page.locator("[data-camera=on]").waitFor();
    const took = await timed(
      () => hold(terminal, /Payment request/, wallet),
      () => wallet.page.getByRole("button", { name: /^Pay €/ }).waitFor(),
    );
    await wallet.page.getByRole("button", { name: "Cancel" }).click();
    return took;
  });
  await wallet.page.getByRole("button", { name: "Scan to pay" }).click();
  await wallet.page.getByRole("button", { name: /^Pay €/ }).click();
  await wallet.page.getByRole("img", { name: /Payment code/ }).waitFor();
  await terminal.page.getByRole("button", { name: "Scan payment" }).click();
  await terminal.page.locator("[data-camera=on]").waitFor();
  const toAccepted = await timed(
    () => hold(wallet, /Payment code/, terminal),
    () => terminal.page.locator("[data-verdict=accepted]").waitFor(),
  );
  return { codeToReviewMilliseconds: toReview, codeToAcceptedOnceMilliseconds: toAccepted };
}

/** From when the picture is before the camera. */
async function timed(begin: () => Promise<void>, ended: () => Promise<void>): Promise<number> {
  await begin();
  const from = performance.now();
  await ended();
  return Math.round(performance.now() - from);
}

async function median(measure: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let round = 0; round < ROUNDS; round++) values.push(await measure());
  return Math.round(values.toSorted((left, right) => left - right)[Math.floor(ROUNDS / 2)] ?? 0);
}
