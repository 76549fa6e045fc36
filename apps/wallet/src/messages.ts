import type { MessageFiles } from "@cairn/app-kit";
import ar from "./messages/ar.json?url";
import en from "./messages/en.json?url";
import es from "./messages/es.json?url";
import fr from "./messages/fr.json?url";
import zh from "./messages/zh.json?url";

/** What only the wallet says. */
export const WALLET_MESSAGES: MessageFiles = { en, zh, es, ar, fr };
