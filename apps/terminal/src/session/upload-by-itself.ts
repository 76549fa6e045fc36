import type { TerminalSession } from "./terminal-session.ts";

/** Often enough that lists stay fresh and money arrives soon, seldom enough for a battery. */
const EVERY_MS = 5 * 60_000;

/** Uploads when the app is opened, when the network comes back, and every few minutes while there is one. Gives what ends it. */
export function uploadByItself(session: TerminalSession): () => void {
  const upload = (): void => {
    if (navigator.onLine) void session.upload();
  };
  upload();
  addEventListener("online", upload);
  const timer = setInterval(upload, EVERY_MS);
  return () => {
    removeEventListener("online", upload);
    clearInterval(timer);
  };
}
