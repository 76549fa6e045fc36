import type { TerminalSession } from "./terminal-session.ts";

/** Often enough that lists stay fresh and money arrives soon, seldom enough for a battery. */
const EVERY_MS = 5 * 60_000;

/**
 * Uploads when the app is opened, after each sale, when the network comes back, and every few minutes: each time only
 * if the browser believes that there is a network. Gives what ends it.
 */
export function uploadByItself(session: TerminalSession): () => void {
  const upload = (): void => {
    if (navigator.onLine) void session.upload();
  };
  let storedBefore = session.view().standing.stored.count;
  function uploadSale(): void {
    const { count } = session.view().standing.stored;
    const hasSale = count > storedBefore;
    storedBefore = count;
    if (hasSale) upload();
  }
  upload();
  addEventListener("online", upload);
  const unsubscribe = session.subscribe(uploadSale);
  const timer = setInterval(upload, EVERY_MS);
  return () => {
    unsubscribe();
    removeEventListener("online", upload);
    clearInterval(timer);
  };
}
