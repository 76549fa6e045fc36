import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { CDPSession } from "playwright-core";
import type { Phone } from "./phones.ts";
import { tour } from "./tour.ts";

/**
 * `npm run gallery`: takes a picture of every screen of both apps in real Chromium, light and dark, on a small phone and
 * on a tablet, into docs/pictures/gallery, and writes the page that shows them.
 */
const { values } = parseArgs({ options: { help: { type: "boolean", short: "h", default: false } } });
if (values.help) {
  process.stdout.write(
    "npm run gallery\nTakes a picture of every screen of both apps, light and dark, on a phone and a tablet,\nand writes docs/guides/gallery.md. It has no options.\n",
  );
  process.exit();
}
const FOLDER = fileURLToPath(new URL("../docs/pictures/gallery", import.meta.url));
const PAGE = fileURLToPath(new URL("../docs/guides/gallery.md", import.meta.url));
const SIZES = { phone: { width: 360, height: 740 }, tablet: { width: 820, height: 1_100 } } as const;
const THEMES = ["light", "dark"] as const;

const names: string[] = [];
async function photograph(name: string, { page }: Phone): Promise<void> {
  process.stderr.write(`${name}\n`);
  names.push(name);
  const before = page.viewportSize();
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of THEMES) {
      await page.emulateMedia({ colorScheme });
      const file = join(FOLDER, `${name}-${size}-${colorScheme}.webp`);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, await webp(page));
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  if (before !== null) await page.setViewportSize(before);
}

const sessions = new WeakMap<Phone["page"], Promise<CDPSession>>();

/** Small enough for a repository: lossy WebP, made by the browser itself. Ending a session would put the page online again. */
async function webp(page: Phone["page"]): Promise<Buffer> {
  const session = sessions.get(page) ?? page.context().newCDPSession(page);
  sessions.set(page, session);
  const { data } = await (await session).send("Page.captureScreenshot", { format: "webp", quality: 60 });
  return Buffer.from(data, "base64");
}

const ends: (() => Promise<void>)[] = [];
try {
  await rm(FOLDER, { recursive: true, force: true });
  await tour((end) => void ends.push(end), photograph, { language: "en", viewport: SIZES.phone });
} finally {
  for (const end of ends) await end();
}
await writeFile(PAGE, gallery(names));

function gallery(all: readonly string[]): string {
  const lines = [
    "# Every screen",
    "Both apps in real Chromium: on a phone of 360 pixels and on a tablet, light and dark. Made by `npm run gallery`, which pays, collects, receives, refuses and gives back by camera with the network off, and takes a picture of every screen that it comes by.",
  ];
  for (const app of ["wallet", "terminal"]) {
    lines.push("", `## The ${app}`);
    for (const name of all.filter((each) => each.startsWith(`${app}/`))) {
      const title = (name.split("/")[1] ?? "").replaceAll("-", " ");
      const cells = Object.keys(SIZES).flatMap((size) =>
        THEMES.map((theme) => `![${title}, ${size}, ${theme}](../pictures/gallery/${name}-${size}-${theme}.webp)`),
      );
      lines.push(
        "",
        `### ${title[0]?.toUpperCase()}${title.slice(1)}`,
        "| phone | dark | tablet | dark |",
        "| --- | --- | --- | --- |",
        `| ${cells.join(" | ")} |`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}
