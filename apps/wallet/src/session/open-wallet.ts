import { deviceClock, deviceSigner, issuerAddress, refusalText } from "@cairn/app-kit";
import { webCrypto } from "@cairn/cose";
import { ClientError, IssuerClient } from "@cairn/issuer/client";
import {
  acceptEnrolment,
  type HistoryEntry,
  history,
  type WalletPorts,
  type WalletStatus,
  walletStatus,
} from "@cairn/pay";
import { openDurableNotes, openIndexedDbWalletStore } from "@cairn/stores/browser";
import { type CurrentStep, currentStep } from "./current-step.ts";
import { openReceiving, type Receiver, type ReceiverView } from "./receiver.ts";

/** Where this app keeps its key and its records, in the browser's IndexedDB. */
const KEY_DATABASE = "cairn-wallet-key";
const STORE_DATABASE = "cairn-wallet";
const NOTES_DATABASE = "cairn-wallet-notes";
/** How the key is kept, as user certificates name it: by the browser, in software. */
const PROTECTION = 0;

/** The browser's own parts behind the wallet's ports. */
export type Wallet = {
  readonly ports: WalletPorts;
  readonly client: IssuerClient;
  /** The same wallet as one that is paid. */
  readonly receiver: Receiver;
  readonly step: CurrentStep;
  isEnrolled(): Promise<boolean>;
  /** Gives the sentence of what went wrong; undefined when this is a wallet now. */
  enrol(input: { readonly code: string; readonly label: string }): Promise<string | undefined>;
  look(): Promise<WalletView>;
};

export type WalletView = {
  readonly status: WalletStatus;
  /** Newest first. */
  readonly entries: readonly HistoryEntry[];
  /** Newest time that a signature has proved, seconds since 1970. */
  readonly provenSeconds: number;
  /** Undefined until this wallet can receive. */
  readonly received: ReceiverView | undefined;
};

export async function openWallet(): Promise<Wallet> {
  const signer = await deviceSigner(KEY_DATABASE);
  const crypto = webCrypto();
  const store = await openIndexedDbWalletStore(STORE_DATABASE);
  const ports: WalletPorts = { store, signer, crypto, clock: deviceClock };
  const client = new IssuerClient({ url: issuerAddress(), signer, crypto });
  const receiver = await openReceiving();
  const step = currentStep(await openDurableNotes(NOTES_DATABASE));
  const identity = () => store.commit({ kind: "none" }, (stored) => ({ result: stored.identity, writes: [] }));
  return {
    ports,
    client,
    receiver,
    step,
    isEnrolled: async () => (await identity()) !== undefined,
    enrol: ({ code, label }) =>
      sentenceOfFailure(async () => {
        const answer = await client.enrolDevice({ code, protection: PROTECTION, label });
        const outcome = await acceptEnrolment(ports, answer);
        return outcome.kind === "refused" ? refusalText(outcome.refusal) : undefined;
      }),
    look: async () => ({
      status: await walletStatus(ports),
      entries: await history(ports),
      received: await receiver.look(),
      provenSeconds: (await identity())?.newestSeen ?? 0,
    }),
  };
}

/** A call that did not succeed, in words; anything else is a fault of the program. */
export async function sentenceOfFailure(work: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ClientError) return refusalText({ code: error.code, sentence: error.message });
    throw error;
  }
}
