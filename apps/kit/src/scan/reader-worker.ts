/// <reference lib="webworker" />
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";
import wasmAddress from "zxing-wasm/reader/zxing_reader.wasm?url";

/** Reads codes from camera frames, away from the thread that draws the screen. */
declare const self: DedicatedWorkerGlobalScope;

export type ReaderFrame = { readonly frame: ImageBitmap };
export type ReaderAnswer = { readonly texts: readonly string[] } | { readonly failure: string };

// The reader would fetch its WebAssembly from elsewhere: here it comes from the app's own files.
prepareZXingModule({ overrides: { locateFile: () => wasmAddress }, fireImmediately: true });

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
  const codes = await readBarcodes(context.getImageData(0, 0, width, height), {
    formats: ["QRCode"],
    tryHarder: true,
    tryInvert: false,
    maxNumberOfSymbols: 1,
  });
  return codes.filter(({ isValid }) => isValid).map(({ text }) => text);
}
