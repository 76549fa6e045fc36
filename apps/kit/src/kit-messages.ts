import type { MessageFiles } from "./language/language.ts";
import ar from "./messages/ar.json?url";
import en from "./messages/en.json?url";
import es from "./messages/es.json?url";
import fr from "./messages/fr.json?url";
import refusalsAr from "./messages/refusals.ar.json?url";
import refusalsEn from "./messages/refusals.en.json?url";
import refusalsEs from "./messages/refusals.es.json?url";
import refusalsFr from "./messages/refusals.fr.json?url";
import refusalsZh from "./messages/refusals.zh.json?url";
import zh from "./messages/zh.json?url";

/** What both apps say: give these to `startLanguage`, before the app's own. */
export const KIT_MESSAGES: readonly MessageFiles[] = [
  { en, zh, es, ar, fr },
  { en: refusalsEn, zh: refusalsZh, es: refusalsEs, ar: refusalsAr, fr: refusalsFr },
];
