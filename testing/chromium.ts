import { existsSync, readdirSync, readFileSync } from "node:fs";
import { type BrowserContext, chromium, type Page } from "playwright-core";

export type { BrowserContext, Page };

/**
 * Real Chromium for tests: Debian's, installed by `npm test`, or the one that CAIRN_CHROMIUM names. Nothing is
 * downloaded. Everything that a browser would like to ask of a network by itself is turned off.
 */
const PLACES = [
  process.env.CAIRN_CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** For what a page is waited for, on a machine that is busy with other things. It only ends a test that is broken. */
const PATIENCE_MS = 180_000;

const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

export const chromiumPath = PLACES.find((place) => place !== undefined && existsSync(place));

/** For `test(name, { skip: chromiumMissing })`: with CI=true nothing is skipped, so that the test fails instead. */
export const chromiumMissing =
  chromiumPath === undefined && process.env.CI !== "true"
    ? "There is no Chromium here. Install it, or name it in CAIRN_CHROMIUM."
    : false;

export type BrowserOptions = {
  /** The profile's folder: a browser started again on it finds everything as it was. */
  readonly profile: string;
  /** A video file (y4m) that the page sees as its camera. */
  readonly camera?: string;
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly language?: string;
  readonly dark?: boolean;
};

/** One browser of its own on a profile. The caller closes it. */
export async function openBrowser(options: BrowserOptions): Promise<BrowserContext> {
  if (chromiumPath === undefined) throw new Error("There is no Chromium here.");
  const camera = [
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    `--use-file-for-fake-video-capture=${options.camera}`,
  ];
  const browser = await chromium.launchPersistentContext(options.profile, {
    executablePath: chromiumPath,
    headless: true,
    args: options.camera === undefined ? QUIET : [...QUIET, ...camera],
    viewport: options.viewport ?? { width: 390, height: 800 },
    locale: options.language ?? "en-GB",
    colorScheme: options.dark === true ? "dark" : "light",
    reducedMotion: "reduce",
    ...(options.camera === undefined ? {} : { permissions: ["camera"] }),
  });
  browser.setDefaultTimeout(PATIENCE_MS);
  return browser;
}

/** A page in a private window, which keeps nothing. The caller closes the browser. */
export async function openPrivateWindow(): Promise<{ readonly page: Page; readonly close: () => Promise<void> }> {
  if (chromiumPath === undefined) throw new Error("There is no Chromium here.");
  const browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args: QUIET });
  const page = await (await browser.newContext({ locale: "en-GB" })).newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  return { page, close: () => browser.close() };
}

/**
 * Ends the browser of a profile in the middle of whatever it does, with kill -9, as an empty battery would. Where the
 * system does not say which processes those are, closing it has to do.
 */
export async function killBrowser(profile: string): Promise<void> {
  if (!existsSync("/proc")) return;
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  for (const id of processes.filter((each) => commandOf(each).includes(`--user-data-dir=${profile}\0`))) {
    try {
      process.kill(Number(id), "SIGKILL");
    } catch {
      // It ended by itself in the meantime.
    }
  }
}

function commandOf(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
