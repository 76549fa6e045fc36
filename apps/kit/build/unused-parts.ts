import { fileURLToPath, pathToFileURL } from "node:url";
import type { Plugin } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** The server's descriptions of its answers: TypeBox to the server, plain JSON to an app. */
const API_SCHEMAS = here("../../../packages/issuer/src/api/device-api.ts");
const DECODER = here("../../../packages/issuer/src/client/decode-reply.ts");
const BROWSER_DECODER = here("../../../packages/issuer/src/client/decode-reply-browser.ts");
/** Only issuers write status lists; what apps read them with is our own (packages/messages/src/inflate.ts). */
const NO_DEFLATE = here("../src/no-deflate.ts");
/** What is wrong with an encoding, byte by byte: for developers. People are told one sentence for all of it. */
const FINDINGS = ["cbor-cursor", "cbor-decode", "cbor-encode", "sign1", "sign1-decode", "key"].map((name) =>
  here(`../../../packages/cose/src/${name}.ts`),
);
/** The modules that hold a sentence for each code: apps take them from their messages, English like any other language. */
const SENTENCES = [here("../../../packages/messages/src/codes.ts"), here("../../../packages/pay/src/codes.ts")];

/**
 * The schema library is for servers: it weighs more than an app. What the apps need of it, the finished schemas, is
 * worked out here, at build time, from the server's own definitions; a small reader of such schemas takes its place.
 */
export function withoutServerParts(): Plugin {
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

const withoutDescription = (key: string, value: unknown): unknown =>
  key === "description" && typeof value === "string" ? undefined : value;

/** Leaves the codes and takes the sentences, which an app has in the language in use, out of its messages. */
export function withoutSentences(): Plugin {
  return {
    name: "cairn-without-sentences",
    enforce: "pre",
    transform(code, id) {
      if (SENTENCES.includes(id)) return replaced(code, [[/^( {2}[A-Z_]+: )".*",$/gm, '$1"",']], id);
      return FINDINGS.includes(id) ? replaced(code, [[/"[A-Z][^"\n]* [^"\n]*\."/g, '""']], id) : undefined;
    },
  };
}

/** The sentences in English by their codes, as they are in the source. */
export async function englishSentences(): Promise<ReadonlyMap<string, string>> {
  const sentences = new Map<string, string>();
  for (const id of SENTENCES) {
    const tables: Record<string, unknown> = await import(pathToFileURL(id).href);
    for (const [name, table] of Object.entries(tables))
      if (name.endsWith("_SENTENCES"))
        for (const [code, sentence] of Object.entries(table as Record<string, string>)) sentences.set(code, sentence);
  }
  return sentences;
}

/**
 * Of the code reader's script: the lists of the names of all kinds of codes, marked as free of effects so that they go;
 * hooks that nobody hands in; other places to run in than a browser's worker; C++ strings of wide characters.
 */
export function withoutOtherCodes(): Plugin {
  const hooks = "preRun|postRun|preInit|onAbort|wasmBinary|printErr|setStatus|instantiateWasm|onRuntimeInitialized";
  return {
    name: "cairn-without-other-codes",
    transform(code, id) {
      if (id.endsWith("zxing-wasm/dist/es/share.js"))
        return replaced(code, [[/ = (e\.(?:map|filter)\()/g, " = /* @__PURE__ */ $1"]], id);
      if (!id.endsWith("zxing-wasm/dist/es/reader/index.js")) return undefined;
      const changes: readonly (readonly [RegExp, string])[] = [
        [new RegExp(`\\bi\\.(?:${hooks})\\b(?! = )`, "g"), "(void 0)"],
        [
          /!!globalThis\.window, (\w) = typeof Bun < "u", (\w) = !!globalThis\.WorkerGlobalScope;\n.*;/,
          "false, $1 = false, $2 = true;",
        ],
        [/\bP: nn,/, "P: () => {},"],
      ];
      return replaced(code, changes, id);
    },
  };
}

/** Codes are made of alphanumeric text and drawn as SVG here: the choice among other kinds of text and the other drawings go. */
export function withoutOtherDrawings(): Plugin {
  return {
    name: "cairn-without-other-drawings",
    transform: (code, id) =>
      id.endsWith("lean-qr/index.mjs")
        ? replaced(
            code,
            [
              [/,"string"==typeof t&&\(t=b\.auto\(t,l\)\);/, ";"],
              [/const g=\[.*?\],b=\{auto:.*?,multi:c,.*?\},C=/s, "const b={alphaNumeric:u},C="],
              [/,toString\(\{on:.*?\}\}\),z=/s, "}),z="],
              [/P\.with=.*?;export/s, "export"],
            ],
            id,
          )
        : undefined,
  };
}

/** @throws when a part is not where it was: a newer version of the library, to be looked at again. */
function replaced(code: string, changes: readonly (readonly [RegExp, string])[], id: string): string {
  let text = code;
  for (const [part, instead] of changes) {
    const changed = text.replace(part, instead);
    if (changed === text) throw new Error(`${id} has no ${part} any more: see apps/kit/build/unused-parts.ts.`);
    text = changed;
  }
  return text;
}

/** The stores ask the database wrapper for records and cursors, not for loops over cursors. */
export function withoutCursorLoops(): Plugin {
  return {
    name: "cairn-without-cursor-loops",
    transform: (code, id) =>
      id.endsWith("idb/build/index.js")
        ? replaced(code, [[/const advanceMethodProps = .*?(?=export \{)/s, ""]], id)
        : undefined,
  };
}
