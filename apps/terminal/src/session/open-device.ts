import { deviceClock, deviceRandom, deviceSigner, issuerAddress, refusalText } from "@cairn/app-kit";
import { DEFAULT_COLLECT_POLICY, openTerminal } from "@cairn/collect";
import { webCrypto } from "@cairn/cose";
import { ClientError, IssuerClient } from "@cairn/issuer/client";
import { openDurableNotes, openIndexedDbTerminalJournal } from "@cairn/stores/browser";
import { openSession, type TerminalSession } from "./terminal-session.ts";

/** Where this app keeps its key and its journal, in the browser's IndexedDB. */
const KEY_DATABASE = "cairn-terminal-key";
const JOURNAL_DATABASE = "cairn-terminal-journal";
const NOTES_DATABASE = "cairn-terminal-notes";
/** How the key is kept, as user certificates name it: by the browser, in software. */
const PROTECTION = 0;

export type Device = {
  /** Gives the sentence of what went wrong; undefined when this is a terminal now. */
  enrol(input: { readonly code: string; readonly label: string }): Promise<string | undefined>;
  /** Undefined before enrolment. */
  session(): Promise<TerminalSession | undefined>;
};

/** The browser's own parts behind the terminal's ports. */
export async function openDevice(): Promise<Device> {
  const signer = await deviceSigner(KEY_DATABASE);
  const crypto = webCrypto();
  const journal = await openIndexedDbTerminalJournal(JOURNAL_DATABASE);
  const notes = await openDurableNotes(NOTES_DATABASE);
  const client = new IssuerClient({ url: issuerAddress(), signer, crypto });
  const ports = { journal, signer, crypto, clock: deviceClock, random: deviceRandom };
  return {
    async enrol({ code, label }) {
      try {
        const answer = await client.enrolTerminal({ code, protection: PROTECTION, label });
        const outcome = await openTerminal({ ...ports, policy: DEFAULT_COLLECT_POLICY }).enrol(answer);
        return outcome.kind === "refused" ? refusalText(outcome.refusal) : undefined;
      } catch (error) {
        if (error instanceof ClientError) return refusalText({ code: error.code, sentence: error.message });
        throw error;
      }
    },
    async session() {
      const { setupRevision } = await journal.marks();
      if (setupRevision === 0) return undefined;
      return openSession({
        ...ports,
        calls: client,
        settings: notes,
        pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
        nowMs: () => Date.now(),
      });
    },
  };
}
