import { createHash } from "node:crypto";
import { glob, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { minify } from "terser";
import { type InlineConfig, type Plugin, transformWithOxc } from "vite";
import { appMessages } from "./app-messages.ts";
import {
  withoutCursorLoops,
  withoutOtherCodes,
  withoutOtherDrawings,
  withoutSentences,
  withoutServerParts,
} from "./unused-parts.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** How both apps are built: everything in files of their own, nothing from elsewhere, one service worker beside them. */
export function appConfig(folder: string): InlineConfig {
  return {
    root: folder,
    configFile: false,
    base: "./",
    logLevel: "warn",
    publicDir: join(folder, "public"),
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    plugins: [
      withoutServerParts(),
      withoutSentences(),
      withoutOtherDrawings(),
      withoutCursorLoops(),
      appMessages(folder),
      precache(),
    ],
    worker: { format: "es", plugins: () => [withoutOtherCodes()] },
    build: {
      outDir: join(folder, "dist"),
      emptyOutDir: true,
      target: "es2022",
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      rolldownOptions: { checks: { pluginTimings: false } },
    },
  };
}

/** Writes sw.js, which knows every file of the app by the hash of all of them, and compressed copies of the files. */
function precache(): Plugin {
  return {
    name: "cairn-precache",
    async writeBundle({ dir }) {
      if (dir === undefined) return;
      await shrink(dir);
      const files = (await readdir(dir, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) =>
          join(entry.parentPath, entry.name)
            .slice(dir.length + 1)
            .replaceAll("\\", "/"),
        )
        .toSorted();
      const hash = createHash("sha256");
      for (const file of files) hash.update(`${file}\n`).update(await readFile(join(dir, file)));
      const source = await readFile(here("../src/service-worker.ts"), "utf8");
      const { code } = await transformWithOxc(source, "service-worker.ts");
      const listed = files.map((file) => (file === "index.html" ? "./" : file));
      const settings = `const FILES=${JSON.stringify(listed)},VERSION=${JSON.stringify(hash.digest("hex").slice(0, 16))};\n`;
      // Registered as a classic script, which every browser takes: what marks a module must go.
      await writeFile(join(dir, "sw.js"), settings + code.replace(/^export \{\};?$/m, ""));
      for (const file of [...files, "sw.js"]) await compress(join(dir, file));
    },
  };
}

/** Once more over what the bundler made small: together they leave some 4 % less to send than either alone. */
async function shrink(folder: string): Promise<void> {
  for await (const file of glob("assets/*.js", { cwd: folder })) {
    const path = join(folder, file);
    const { code } = await minify(await readFile(path, "utf8"), {
      module: true,
      ecma: 2020,
      compress: { passes: 6, pure_getters: true, unsafe_arrows: true },
    });
    if (code === undefined) throw new Error(`${file} could not be made smaller.`);
    await writeFile(path, code);
  }
}

const BEST_BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
/** Both apps carry the same reader, which takes seconds to compress. */
const brotliBefore = new Map<string, Buffer>();
const COMPRESSED = /\.(?:html|js|css|json|svg|wasm|webmanifest)$/;

async function compress(file: string): Promise<void> {
  if (!COMPRESSED.test(basename(file))) return;
  const bytes = await readFile(file);
  const hash = createHash("sha256").update(bytes).digest("hex");
  const smaller = brotliBefore.get(hash) ?? brotliCompressSync(bytes, BEST_BROTLI);
  brotliBefore.set(hash, smaller);
  await writeFile(`${file}.br`, smaller);
  await writeFile(`${file}.gz`, gzipSync(bytes, { level: 9 }));
}
