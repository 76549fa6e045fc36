import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { englishSentences } from "./unused-parts.ts";

const ADDRESSES = fileURLToPath(new URL("../src/app-messages.ts", import.meta.url));
const KIT = fileURLToPath(new URL("../src/messages", import.meta.url));
export const LANGUAGES = ["en", "zh", "es", "ar", "fr"] as const;
type Language = (typeof LANGUAGES)[number];
type Messages = Readonly<Record<string, string>>;

/**
 * Fills src/app-messages.ts with where the messages of each language lie. One file a language, so that an app asks for
 * one: what both apps say, the refusals, and over these what the app itself says.
 */
export function appMessages(folder: string): Plugin {
  return {
    name: "cairn-app-messages",
    async load(id) {
      if (id !== ADDRESSES) return undefined;
      const addresses: string[] = [];
      for (const language of LANGUAGES) {
        const source = JSON.stringify(await messagesOf(folder, language));
        const file = this.emitFile({ type: "asset", name: `${language}.json`, source });
        addresses.push(`${language}: import.meta.ROLLUP_FILE_URL_${file}`);
      }
      return `export const MESSAGES = { ${addresses.join(", ")} };`;
    },
  };
}

/** All that an app says in a language, later files over earlier ones. `folder`: the app's. */
export async function messagesOf(folder: string, language: Language): Promise<Messages> {
  const coded = language === "en" ? await englishRefusals() : {};
  const files = [
    `${KIT}/refusals.${language}.json`,
    `${KIT}/${language}.json`,
    join(folder, `src/messages/${language}.json`),
  ];
  return Object.assign(coded, ...(await Promise.all(files.map(read))));
}

/** Those that packages say themselves: there is one table of them, and it is in English. */
async function englishRefusals(): Promise<Messages> {
  const sentences = await englishSentences();
  return Object.fromEntries([...sentences].map(([code, sentence]) => [`refusal.${code}`, sentence]));
}

async function read(file: string): Promise<Messages> {
  return JSON.parse(await readFile(file, "utf8"));
}
