import { bringHome, deviceClock, deviceRandom, deviceSigner, issuerAddress, refusalText, t } from "@cairn/app-kit";
import {
  DEFAULT_COLLECT_POLICY,
  type HistoryEntry,
  openReceiver,
  type Receiver as ReceivingTerminal,
  type Standing,
} from "@cairn/collect";
import { webCrypto } from "@cairn/cose";
import { ClientError, IssuerClient } from "@cairn/issuer/client";
import { terminalIdOf } from "@cairn/messages";
import { openIndexedDbTerminalJournal } from "@cairn/stores/browser";
import { OF_THE_RECEIVING_KEY, RECEIVING_REFUSALS } from "./receiving-refusals.ts";

/** A second key and a journal of its own: this wallet as a terminal of its account (decision 0086). */
const KEY_DATABASE = "cairn-wallet-receiving-key";
const JOURNAL_DATABASE = "cairn-wallet-receiving";
/** How the key is kept: by the browser, in software. */
const PROTECTION = 0;
/** Newest lines shown. */
const SHOWN = 200;

export type Receiver = {
  readonly terminal: ReceivingTerminal;
  /** Until it was set up, once and online, nothing can be received. */
  isReady(): Promise<boolean>;
  /** Why the issuer does not let this wallet receive, when it said so. */
  refusal(): string | undefined;
  /**
   * Makes this wallet one that can be paid, if it is not; brings home what it was paid, and takes fresh lists home.
   * @throws ClientError
   */
  sync(wallet: IssuerClient, label: string): Promise<ReceivedSync>;
  look(): Promise<ReceiverView | undefined>;
};

/** `brought`: payments that the issuer took. `problem`: the sentence of what was not taken. */
export type ReceivedSync = { readonly brought: number; readonly problem: string | undefined };

export type ReceiverView = {
  readonly standing: Standing;
  /** Newest first. */
  readonly entries: readonly HistoryEntry[];
};

/** @throws whatever is no refusal to let this wallet receive */
function refusalIn(error: unknown): string {
  if (!(error instanceof ClientError) || !RECEIVING_REFUSALS.includes(error.code)) throw error;
  const { code, message } = error;
  return OF_THE_RECEIVING_KEY.includes(code) ? t(`receiving.${code}`) : refusalText({ code, sentence: message });
}

export async function openReceiving(): Promise<Receiver> {
  const signer = await deviceSigner(KEY_DATABASE);
  const crypto = webCrypto();
  const journal = await openIndexedDbTerminalJournal(JOURNAL_DATABASE);
  const ports = { journal, signer, crypto, clock: deviceClock, random: deviceRandom, policy: DEFAULT_COLLECT_POLICY };
  const terminal = openReceiver(ports);
  const client = new IssuerClient({ url: issuerAddress(), signer, crypto });

  async function isReady(): Promise<boolean> {
    return (await journal.marks()).setupRevision > 0;
  }

  let refusal: string | undefined;

  async function setUp(wallet: IssuerClient, label: string): Promise<string | undefined> {
    try {
      return await enrol(wallet, label);
    } catch (error) {
      refusal = refusalIn(error);
      return undefined;
    }
  }

  async function bringReceived(): Promise<ReceivedSync> {
    try {
      const { received, listRefusals } = await bringHome(terminal, client, {
        onProgress: () => undefined,
        pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
        nowMs: () => Date.now(),
      });
      const [first] = listRefusals;
      return { brought: received, problem: first === undefined ? undefined : refusalText(first) };
    } catch (error) {
      // What was received waits here: its owner hears why.
      return { brought: 0, problem: refusalIn(error) };
    }
  }

  async function enrol(wallet: IssuerClient, label: string): Promise<string | undefined> {
    const { code } = await wallet.openReceiving(terminalIdOf(signer.publicKey, crypto));
    const outcome = await terminal.enrol(await client.enrolTerminal({ code, protection: PROTECTION, label }));
    return outcome.kind === "refused" ? refusalText(outcome.refusal) : undefined;
  }

  return {
    terminal,
    isReady,
    refusal: () => refusal,
    async sync(wallet, label) {
      return (await isReady()) ? bringReceived() : { brought: 0, problem: await setUp(wallet, label) };
    },
    look: async () =>
      (await isReady())
        ? { standing: await terminal.standing(), entries: await terminal.history({ limit: SHOWN }) }
        : undefined,
  };
}
