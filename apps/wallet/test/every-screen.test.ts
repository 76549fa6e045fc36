import assert from "node:assert/strict";
import { test } from "node:test";
import { accessibilityFaults } from "../../../testing/accessibility.ts";
import { chromiumMissing } from "../../../testing/chromium.ts";
import { tour } from "../../../testing/tour.ts";

const SMALL = { width: 360, height: 740 };

/** Keys of messages that were shown as they are, because there is no message. */
const RAW_KEY = /\b(?:nav|home|action|state|advice|refusal|refund|receive|received|verdict|sync|detail)\.[a-z][\w.-]*/;

test("axe finds nothing on any screen of both apps, from right to left, on a small phone, in both themes", {
  skip: chromiumMissing,
}, async (t) => {
  const seen: string[] = [];
  const look: Parameters<typeof tour>[1] = async (name, { page }) => {
    seen.push(name);
    assert.equal(await page.locator("html").getAttribute("dir"), "rtl", name);
    const isTooWide = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
    assert.equal(await page.evaluate(isTooWide), false, `${name} is wider than the screen`);
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
