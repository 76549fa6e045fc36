import { createHash } from "node:crypto";
import { glob, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { minify } from "terser";
import { type InlineConfig, type Plugin, transformWithOxc } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** The server's descriptions of its answers: TypeBox to the server, plain JSON to an app. */
const API_SCHEMAS = here("../../packages/issuer/src/api/device-api.ts");
const DECODER = here("../../packages/issuer/src/client/decode-reply.ts");
/** Only issuers write status lists; what apps read them with is our own (packages/messages/src/inflate.ts). */
const NO_DEFLATE = here("src/no-deflate.ts");
const BROWSER_DECODER = here("../../packages/issuer/src/client/decode-reply-browser.ts");

/** How both apps are built: everything in files of their own, nothing from elsewhere, one service worker beside them. */
export function appConfig(folder: string): InlineConfig {
  return {
    root: folder,
    configFile: false,
    base: "./",
    logLevel: "warn",
    publicDir: join(folder, "public"),
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    plugins: [withoutServerParts(), precache()],
    worker: { format: "es", plugins: () => [withoutOtherCodes()] },
    build: {
      outDir: join(folder, "dist"),
      emptyOutDir: true,
      target: "es2022",
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
    },
  };
}

/**
 * The schema library is for servers: it weighs more than an app. What the apps need of it, the finished schemas, is
 * worked out here, at build time, from the server's own definitions; a small reader of such schemas takes its place.
 */
function withoutServerParts(): Plugin {
  return {
    name: "cairn-without-server-parts",
    enforce: "pre",
    resolveId: (name) => (name === "fflate" ? NO_DEFLATE : undefined),
    async load(id) {
      if (id === DECODER) return `export * from ${JSON.stringify(BROWSER_DECODER)};`;
      if (id !== API_SCHEMAS) return undefined;
      const schemas: Record<string, unknown> = await import(pathToFileURL(id).href);
      return Object.entries(schemas)
        .map(([name, schema]) => `export const ${name} = ${JSON.stringify(schema, withoutDescription)};`)
        .join("\n");
    },
  };
}

/** The reader's lists of the names of all kinds of codes, which nobody asks for here: marked as free of effects, they go. */
function withoutOtherCodes(): Plugin {
  return {
    name: "cairn-without-other-codes",
    transform: (code, id) =>
      id.endsWith("zxing-wasm/dist/es/share.js")
        ? code.replace(/ = (e\.(?:map|filter)\()/g, " = /* @__PURE__ */ $1")
        : undefined,
  };
}

const withoutDescription = (key: string, value: unknown): unknown =>
  key === "description" && typeof value === "string" ? undefined : value;

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
      const source = await readFile(here("src/service-worker.ts"), "utf8");
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
      compress: { passes: 3, pure_getters: true, unsafe_arrows: true },
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
