import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { TerminalSession, TerminalView } from "../session/terminal-session.ts";

export const SessionContext = createContext<TerminalSession | undefined>(undefined);

/** The session and its present view; the screen is drawn again when the view changes. */
export function useSession(): { readonly session: TerminalSession; readonly view: TerminalView } {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error("This screen is shown before the terminal is open.");
  const [view, setView] = useState(session.view);
  useEffect(() => session.subscribe(() => setView(session.view())), [session]);
  return { session, view };
}
