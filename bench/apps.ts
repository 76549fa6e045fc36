import { glob, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { APPS } from "../scripts/build-apps.ts";
import { openBrowser, type Page } from "../testing/chromium.ts";
import { charge, hold, openPhones, type Phone } from "../testing/phones.ts";

/**
 * What the apps weigh and how fast they are, in real Chromium on this machine: compressed bytes as they are sent, first
 * load on an empty profile, start with no network, and from the camera's frame to what the app says of its code.
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

/** The wallet reads a request, the till the payment for it: sale after sale, each with its own codes. */
async function scans(wallet: Phone, terminal: Phone): Promise<Record<string, number>> {
  const toReview: number[] = [];
  const toAccepted: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await charge(terminal, "100");
    wallet.camera.showNothing();
    await wallet.page.getByRole("button", { name: "Scan to pay" }).click();
    await wallet.page.locator("[data-camera=on]").waitFor();
    await watchFor(wallet.page, ".payee");
    await hold(terminal, /Payment request/, wallet);
    toReview.push(await sinceFrame(wallet.page));
    await wallet.page.getByRole("button", { name: /^Pay €/ }).click();
    await wallet.page.getByRole("img", { name: /Payment code/ }).waitFor();
    terminal.camera.showNothing();
    await terminal.page.getByRole("button", { name: "Scan payment" }).click();
    await terminal.page.locator("[data-camera=on]").waitFor();
    await watchFor(terminal.page, "[data-verdict=accepted]");
    await hold(wallet, /Payment code/, terminal);
    toAccepted.push(await sinceFrame(terminal.page));
    await terminal.page.getByRole("button", { name: "Next customer" }).click();
    await wallet.page.getByRole("button", { name: "Done without a receipt" }).click();
  }
  return { frameToReviewMilliseconds: middle(toReview), frameToAcceptedMilliseconds: middle(toAccepted) };
}

/** Notes, in the page itself, when something is drawn for the first time from now on. */
function watchFor(page: Page, selector: string): Promise<void> {
  // A function, so that nobody waits here for the promise.
  return page.evaluate(`(() => {
    performance.clearMarks("cairn-code-seen");
    globalThis.drawn = new Promise((resolve) => {
      const look = () => {
        if (document.querySelector(${JSON.stringify(selector)}) === null) requestAnimationFrame(look);
        else resolve(performance.now());
      };
      look();
    });
  })()`);
}

/** From the frame in which the code was seen until then. */
async function sinceFrame(page: Page): Promise<number> {
  return page.evaluate<number>(
    'globalThis.drawn.then((at) => at - performance.getEntriesByName("cairn-code-seen").at(-1).startTime)',
  );
}

async function median(measure: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let round = 0; round < ROUNDS; round++) values.push(await measure());
  return middle(values);
}

const middle = (values: readonly number[]): number =>
  Math.round(values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0);
