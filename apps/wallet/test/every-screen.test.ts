import assert from "node:assert/strict";
import { test } from "node:test";
import { accessibilityFaults } from "../../../testing/accessibility.ts";
import { chromiumMissing, type Page } from "../../../testing/chromium.ts";
import { tour } from "../../../testing/tour.ts";

const SMALL = { width: 360, height: 740 };
/** The smallest phone in use, upright and on its side, as its browser leaves it room. */
const SMALLEST = [
  { width: 320, height: 568 },
  { width: 568, height: 320 },
];
/** Below this a camera at arm's length does not tell the squares of a payment's code from each other. */
const LEAST_CODE_PIXELS = 140;

/** Keys of messages that were shown as they are, because there is no message. */
const RAW_KEY = /\b(?:nav|home|action|state|advice|refusal|refund|receive|received|verdict|sync|detail)\.[a-z][\w.-]*/;

/** A code is for another device's camera: it is whole on the screen, and nothing lies over it. */
async function seeWholeCode(name: string, page: Page): Promise<void> {
  // In the story of one payment it is further down.
  if ((await page.locator(".qr").count()) === 0 || (await page.locator(".panel").count()) > 0) return;
  for (const size of SMALLEST) {
    await page.setViewportSize(size);
    const isReceipt = (await page.locator(".receipt .qr").count()) > 0;
    // A receipt on a phone on its side comes after the verdict.
    if (isReceipt && size.width > size.height) continue;
    const [code, actions] = [await page.locator(".qr").boundingBox(), await page.locator(".actions").boundingBox()];
    assert.ok(code !== null && actions !== null, name);
    const isBeside = code.x + code.width <= actions.x || actions.x + actions.width <= code.x;
    const end = isBeside ? size.height : actions.y;
    const where = `${name} at ${size.width}x${size.height}: ${JSON.stringify({ code, actions })}`;
    assert.ok(code.y >= 0 && code.y + code.height <= end + 1, `the code is not whole: ${where}`);
    assert.ok(Math.min(code.width, code.height) >= LEAST_CODE_PIXELS, `the code is too small: ${where}`);
  }
  await page.setViewportSize(SMALL);
}

test("axe finds nothing on any screen of both apps, from right to left, on a small phone, in both themes", {
  skip: chromiumMissing,
}, async (t) => {
  const seen: string[] = [];
  const look: Parameters<typeof tour>[1] = async (name, { page }) => {
    seen.push(name);
    assert.equal(await page.locator("html").getAttribute("dir"), "rtl", name);
    const isTooWide = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
    assert.equal(await page.evaluate(isTooWide), false, `${name} is wider than the screen`);
    await seeWholeCode(name, page);
    // All of the screen at once: what bars cover is scrolled to, and is not too small a target.
    await page.setViewportSize({ width: SMALL.width, height: 2_400 });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await accessibilityFaults(page), [], `${name}, ${colorScheme}`);
    }
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize(SMALL);
    assert.doesNotMatch(await page.locator("body").innerText(), RAW_KEY, name);
  };
  await tour((work) => t.after(work), look, { language: "ar", viewport: SMALL });
  assert.ok(seen.length >= 41, `${seen.length} screens`);
});
