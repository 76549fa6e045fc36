import type { MessageFiles } from "./language/language.ts";

/** All that the app says: for `startLanguage`. Which app it is, and so what is here, the build says (build/app-messages.ts). */
export declare const MESSAGES: MessageFiles;
