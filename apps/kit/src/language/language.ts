import { useEffect, useState } from "preact/hooks";

export const LANGUAGES = ["en", "zh", "es", "ar", "fr"] as const;
export type Language = (typeof LANGUAGES)[number];
/** In their own words, for the choice of language. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  en: "English",
  zh: "中文",
  es: "Español",
  ar: "العربية",
  fr: "Français",
};
const RIGHT_TO_LEFT: readonly Language[] = ["ar"];

/** Where the messages of each language lie: addresses on the app's own origin. */
export type MessageFiles = Readonly<Record<Language, string>>;
export type MessageValues = Readonly<Record<string, string | number>>;

const CHOICE = "cairn-language";

let current: Language = "en";
let messages: ReadonlyMap<string, string> = new Map();
let plurals = new Intl.PluralRules(current);
let sources: MessageFiles | undefined;
const listeners = new Set<() => void>();

export const language = (): Language => current;

/** The one chosen before, else the first of the device's languages that there are messages for. */
export function preferredLanguage(): Language {
  const wishes = [localStorage.getItem(CHOICE) ?? "", ...navigator.languages];
  for (const wish of wishes) {
    const known = LANGUAGES.find((each) => wish === each || wish.startsWith(`${each}-`));
    if (known !== undefined) return known;
  }
  return "en";
}

/** Loads the messages of a language and turns the page to its direction. */
export async function startLanguage(files: MessageFiles, wanted = preferredLanguage()): Promise<void> {
  sources = files;
  messages = new Map(Object.entries(await loadFile(files[wanted])));
  current = wanted;
  plurals = new Intl.PluralRules(wanted);
  document.documentElement.lang = wanted;
  document.documentElement.dir = RIGHT_TO_LEFT.includes(wanted) ? "rtl" : "ltr";
  for (const listener of listeners) listener();
}

/** Remembers the choice and shows everything in the other language, without starting the app again. */
export async function setLanguage(wanted: Language): Promise<void> {
  localStorage.setItem(CHOICE, wanted);
  if (sources !== undefined) await startLanguage(sources, wanted);
}

/** The language in use; the component is drawn again when it changes. */
export function useLanguage(): Language {
  const [shown, setShown] = useState(current);
  useEffect(() => {
    const listener = (): void => setShown(current);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return shown;
}

/**
 * The message of a key, with `{name}` replaced by the values. With a value named `count`, the form of the language for
 * that number: `key.one`, `key.few`, `key.other`. The key itself where there is no message, so that it is seen.
 */
export function t(key: string, values: MessageValues = {}): string {
  const text = findMessage(key, values.count) ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => formatValue(values[name]) ?? whole);
}

type Coded = { readonly code: string; readonly sentence: string };

/** What a person is told of a refusal: in the language in use, else the sentence that came with it. */
export function refusalText({ code, sentence }: Coded): string {
  return messages.get(`refusal.${code}`) ?? sentence;
}

/** The same to the one who pays, of whose certificate and limit it is: "your limit", not "the payer's". */
export function payersRefusalText(refusal: Coded): string {
  return messages.get(`paying.${refusal.code}`) ?? refusalText(refusal);
}

/** What to do about a refusal, when there is something to do. */
export function refusalAdvice(refusal: { readonly code: string }): string | undefined {
  return messages.get(`advice.${refusal.code}`);
}

function findMessage(key: string, count: string | number | undefined): string | undefined {
  if (typeof count !== "number") return messages.get(key);
  return messages.get(`${key}.${plurals.select(count)}`) ?? messages.get(`${key}.other`) ?? messages.get(key);
}

function formatValue(value: string | number | undefined): string | undefined {
  return typeof value === "number" ? new Intl.NumberFormat(current).format(value) : value;
}

async function loadFile(address: string): Promise<Record<string, string>> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`The messages at ${address} could not be loaded.`);
  return response.json();
}
