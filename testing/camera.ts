import { openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { PNG } from "pngjs";

const WIDTH = 1280;
const HEIGHT = 720;
const HEADER = `YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`;
const FRAME = "FRAME\n";
const WHITE = 235;

/**
 * A camera that a page sees as its own: a video of one frame (y4m, I420), which Chromium reads again and again. What is
 * held before it is written in place, so that the next frame shows it.
 */
export class TestCamera {
  readonly file: string;
  readonly #handle: number;

  constructor(file: string) {
    this.file = file;
    const chroma = Buffer.alloc((WIDTH * HEIGHT) / 2, 128);
    writeFileSync(file, Buffer.concat([Buffer.from(HEADER + FRAME), Buffer.alloc(WIDTH * HEIGHT, WHITE), chroma]));
    this.#handle = openSync(file, "r+");
  }

  /** Holds a picture (PNG) before the camera, as large as fits, in the middle. */
  show(picture: Buffer | string): void {
    const { width, height, data } = PNG.sync.read(typeof picture === "string" ? readFileSync(picture) : picture);
    const luma = Buffer.alloc(WIDTH * HEIGHT, WHITE);
    const scale = Math.min((WIDTH - 80) / width, (HEIGHT - 40) / height);
    const [left, top] = [Math.floor((WIDTH - width * scale) / 2), Math.floor((HEIGHT - height * scale) / 2)];
    for (let y = 0; y < Math.floor(height * scale); y++) {
      for (let x = 0; x < Math.floor(width * scale); x++) {
        const from = 4 * (Math.floor(y / scale) * width + Math.floor(x / scale));
        const [red = 0, green = 0, blue = 0] = data.subarray(from, from + 3);
        luma[(top + y) * WIDTH + left + x] = Math.round(
          16 + (219 * (0.299 * red + 0.587 * green + 0.114 * blue)) / 255,
        );
      }
    }
    this.#write(luma);
  }

  /** Nothing but a white wall. */
  showNothing(): void {
    this.#write(Buffer.alloc(WIDTH * HEIGHT, WHITE));
  }

  #write(luma: Buffer): void {
    writeSync(this.#handle, luma, 0, luma.length, HEADER.length + FRAME.length);
  }
}
