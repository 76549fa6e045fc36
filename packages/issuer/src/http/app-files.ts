import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";

/** One file of an app as it is sent: as it is, and compressed where that was done when the app was built. */
export type AppFile = {
  readonly bytes: Buffer;
  readonly brotli: Buffer | undefined;
  readonly gzip: Buffer | undefined;
  readonly type: string;
  readonly etag: string;
  /** Its name changes with its content. */
  readonly immutable: boolean;
};

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".wasm": "application/wasm",
};

/**
 * Reads a built app into memory, by path below its folder: some hundred kilobytes, read once. Undefined when the app
 * was not built. Files of other kinds are not served.
 */
export async function readAppFiles(folder: string): Promise<ReadonlyMap<string, AppFile> | undefined> {
  const files = new Map<string, AppFile>();
  for (const path of await pathsIn(folder)) {
    const type = TYPES[extname(path)];
    if (type === undefined) continue;
    const bytes = await readFile(join(folder, path));
    const [brotli, gzip] = await Promise.all([
      readIfThere(join(folder, `${path}.br`)),
      readIfThere(join(folder, `${path}.gz`)),
    ]);
    const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
    files.set(path, { bytes, brotli, gzip, type, etag, immutable: path.startsWith("assets/") });
  }
  return files.has("index.html") ? files : undefined;
}

async function pathsIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, "/").length).replaceAll("\\", "/"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
