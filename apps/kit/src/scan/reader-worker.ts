/// <reference lib="webworker" />
import { prepareZXingModule } from "zxing-wasm/reader";
import wasmAddress from "zxing-wasm/reader/zxing_reader.wasm?url";

/** Reads codes from camera frames, away from the thread that draws the screen. */
declare const self: DedicatedWorkerGlobalScope;

export type ReaderFrame = { readonly frame: ImageBitmap };
export type ReaderAnswer = { readonly texts: readonly string[] } | { readonly failure: string };

// The reader would fetch its WebAssembly from elsewhere: here it comes from the app's own files.
const reader = prepareZXingModule({ overrides: { locateFile: () => wasmAddress }, fireImmediately: true });

/** One QR code, however it is held; black on white, as codes are shown by these apps. The numbers are the library's own defaults. */
const WANTED = {
  formats: "QRCode",
  tryHarder: true,
  tryRotate: true,
  tryInvert: false,
  tryDownscale: true,
  tryDenoise: false,
  isPure: false,
  returnErrors: false,
  validateOptionalChecksum: false,
  tryCode39ExtendedMode: false,
  binarizer: 0,
  downscaleFactor: 3,
  downscaleThreshold: 500,
  minLineCount: 2,
  maxNumberOfSymbols: 1,
  eanAddOnSymbol: 0,
  textMode: 2,
  characterSet: 0,
};

let canvas = new OffscreenCanvas(1, 1);

self.addEventListener("message", ({ data }: MessageEvent<ReaderFrame>) => {
  void answer(data.frame);
});

async function answer(frame: ImageBitmap): Promise<void> {
  let found: ReaderAnswer;
  try {
    found = { texts: await read(frame) };
  } catch (error) {
    found = { failure: String(error) };
  }
  self.postMessage(found);
}

async function read(frame: ImageBitmap): Promise<readonly string[]> {
  const { width, height } = frame;
  if (canvas.width !== width || canvas.height !== height) canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("This browser cannot read pixels.");
  context.drawImage(frame, 0, 0);
  frame.close();
  return readCodes(await reader, context.getImageData(0, 0, width, height));
}

/** Straight into the library's memory: its own helper for this carries the tables of fifty other kinds of codes. */
function readCodes(module: Awaited<typeof reader>, { data, width, height }: ImageData): readonly string[] {
  const pixels = module._malloc(width * height);
  try {
    module.HEAPU8.set(lightness(data), pixels);
    const codes = module.readBarcodesFromPixmap(pixels, width, height, WANTED);
    const texts: string[] = [];
    for (let index = 0; index < codes.size(); index++) {
      const code = codes.get(index);
      if (code?.isValid === true) texts.push(code.text);
    }
    return texts;
  } finally {
    module._free(pixels);
  }
}

/** By the weights of ITU-R BT.601, in 1024ths. */
function lightness(rgba: Uint8ClampedArray): Uint8Array {
  const grey = new Uint8Array(rgba.length / 4);
  for (let at = 0, from = 0; at < grey.length; at++, from += 4)
    grey[at] = (306 * (rgba[from] ?? 0) + 601 * (rgba[from + 1] ?? 0) + 117 * (rgba[from + 2] ?? 0)) >> 10;
  return grey;
}
