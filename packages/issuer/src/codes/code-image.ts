import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { CodedError } from "@cairn/cose";
import { type Bitmap2D, correction, generate, mode } from "lean-qr";
import { PNG } from "pngjs";
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";

export type CodeImageCode = "IMAGE_UNREADABLE" | "IMAGE_HOLDS_NO_CODE" | "IMAGE_HOLDS_SEVERAL_CODES";
/** A picture that does not show one readable code. */
export class CodeImageError extends CodedError<CodeImageCode> {}

/** Pixels a module: readable from a screen at arm's length, and small enough as a file. */
const PIXELS_PER_MODULE = 6;
/** Quiet zone in modules, as ISO/IEC 18004 asks for. */
const QUIET_ZONE_MODULES = 4;
/** Pictures larger than this are not codes of ours. */
export const MAXIMUM_IMAGE_BYTES = 16_777_216;

/**
 * At least error correction M, which restores 15 % of the code: scratches and reflections on a screen, without making it
 * denser than needed; more where it costs no larger code.
 * @throws TypeError when the text has characters outside of QR's alphanumeric mode; Error when it is longer than a code can hold.
 */
function encode(text: string): Bitmap2D {
  if (!ALPHANUMERIC.test(text)) throw new TypeError("This text is no code of Cairn.");
  return generate(mode.alphaNumeric(text), { minCorrectionLevel: correction.M });
}
const ALPHANUMERIC = /^[0-9A-Z $%*+\-./:]+$/;

/**
 * A code text as a black-and-white PNG picture.
 * @throws as `encode`
 */
export function writeCodeImage(text: string): Uint8Array {
  const modules = encode(text);
  const width = (modules.size + 2 * QUIET_ZONE_MODULES) * PIXELS_PER_MODULE;
  const png = new PNG({ width, height: width, colorType: 0, inputColorType: 0, bitDepth: 8, inputHasAlpha: false });
  png.data = Buffer.alloc(width * width);
  const moduleAt = (pixel: number): number => Math.floor(pixel / PIXELS_PER_MODULE) - QUIET_ZONE_MODULES;
  for (let y = 0; y < width; y++)
    for (let x = 0; x < width; x++) png.data[y * width + x] = modules.get(moduleAt(x), moduleAt(y)) ? 0 : 255;
  return PNG.sync.write(png, { colorType: 0, inputColorType: 0, bitDepth: 8, inputHasAlpha: false });
}

/** A code text drawn with block characters, two rows of modules in a line, to be scanned from a dark terminal window. */
export function drawCode(text: string): string {
  const modules = encode(text);
  const border = 2;
  let drawn = "";
  for (let y = -border; y < modules.size + border; y += 2) {
    for (let x = -border; x < modules.size + border; x++) {
      const isUpperLight = !modules.get(x, y);
      const isLowerLight = !modules.get(x, y + 1) && y + 1 < modules.size + border;
      drawn += isUpperLight ? (isLowerLight ? "█" : "▀") : isLowerLight ? "▄" : " ";
    }
    drawn += "\n";
  }
  return drawn;
}

/** The size class of the code that a text needs, 1 to 40 (ISO/IEC 18004 "version"): 17 + 4 x version modules a side. */
export function codeVersion(text: string): number {
  return (encode(text).size - 17) / 4;
}

/**
 * Finds the one code in a picture (PNG, JPEG) and gives its text, exactly as it was written.
 * @throws CodeImageError when there is no picture, no code in it, or more than one.
 */
export async function readCodeImage(image: Uint8Array): Promise<string> {
  if (image.length === 0 || image.length > MAXIMUM_IMAGE_BYTES) {
    throw new CodeImageError("IMAGE_UNREADABLE", "This is not a picture, or it is larger than 16 MB.");
  }
  await loadReader();
  const found = await readPicture(image);
  const [only] = found;
  if (only === undefined) throw new CodeImageError("IMAGE_HOLDS_NO_CODE", "No code was found in this picture.");
  if (found.length > 1)
    throw new CodeImageError("IMAGE_HOLDS_SEVERAL_CODES", "There is more than one code in this picture.");
  return only.text;
}

async function readPicture(image: Uint8Array): Promise<readonly { readonly text: string }[]> {
  try {
    const found = await readBarcodes(new Uint8Array(image), {
      formats: ["QRCode"],
      tryHarder: true,
      maxNumberOfSymbols: 2,
    });
    return found.filter(({ isValid }) => isValid);
  } catch (cause) {
    throw new CodeImageError("IMAGE_UNREADABLE", "This file is not a picture that can be read.", { cause });
  }
}

let readerLoaded: Promise<unknown> | undefined;

/** The reader fetches its WebAssembly from the network unless it is handed over: here it comes from the installed package. */
function loadReader(): Promise<unknown> {
  readerLoaded ??= (async () => {
    const path = createRequire(import.meta.url).resolve("zxing-wasm/reader/zxing_reader.wasm");
    const file = await readFile(path);
    const wasmBinary = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
    await prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
  })();
  return readerLoaded;
}
