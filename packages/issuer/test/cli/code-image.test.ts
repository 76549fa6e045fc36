import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readCode, writeCode } from "@cairn/messages";
import { PNG } from "pngjs";
import { CodeImageError, codeVersion, drawCode, readCodeImage, writeCodeImage } from "../../src/codes/code-image.ts";
import { typicalCode } from "./typical-code.ts";

const text = typicalCode();

test("a code comes back from its picture's pixels exactly as it was written", async () => {
  assert.equal(await readCodeImage(writeCodeImage(text)), text);
});

test("a code is read from a picture that is dim, upside down and noisy", async () => {
  const png = PNG.sync.read(Buffer.from(writeCodeImage(text)));
  const { width, height, data } = png;
  const photo = new PNG({ width, height });
  for (let pixel = 0; pixel < width * height; pixel++) {
    const light = data[(width * height - 1 - pixel) * 4] ?? 0;
    const noise = (pixel * 2_654_435_761) % 41;
    photo.data.fill(Math.round(60 + light * 0.35 + noise), pixel * 4, pixel * 4 + 3);
    photo.data[pixel * 4 + 3] = 255;
  }
  assert.equal(await readCodeImage(PNG.sync.write(photo)), text);
});

test("pictures without one readable code are refused with a code of their own", async () => {
  const blank = new PNG({ width: 64, height: 64 });
  blank.data.fill(255);
  const refused: [Uint8Array, string][] = [
    [new Uint8Array(0), "IMAGE_UNREADABLE"],
    [PNG.sync.write(blank), "IMAGE_HOLDS_NO_CODE"],
    [writeCodeImage(text).subarray(0, 300), "IMAGE_HOLDS_NO_CODE"],
    [new TextEncoder().encode("not a picture"), "IMAGE_HOLDS_NO_CODE"],
  ];
  for (const [image, code] of refused) {
    await assert.rejects(readCodeImage(image), (error) => error instanceof CodeImageError && error.code === code);
  }
});

test("a typical payment fits a code of version 13, and can be drawn in a window", () => {
  assert.equal(codeVersion(text), 13);
  assert.match(drawCode(text), /█/);
});

test("zbarimg, an independent reader, reads the picture, and the text decodes", async (t) => {
  if (spawnSync("zbarimg", ["--version"]).status !== 0) {
    if (process.env.CI === "true") assert.fail("zbarimg is missing: install the Debian package zbar-tools");
    t.skip("zbarimg is not installed (Debian package zbar-tools)");
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), "cairn-zbar-"));
  try {
    const file = join(folder, "code.png");
    await writeFile(file, writeCodeImage(text));
    const run = spawnSync("zbarimg", ["-q", "--raw", "--nodbus", file], { encoding: "utf8" });
    assert.equal(run.stdout.trimEnd(), text);
    const code = readCode(run.stdout);
    assert.equal(code.type, "payment");
    assert.equal(writeCode(code), text);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
