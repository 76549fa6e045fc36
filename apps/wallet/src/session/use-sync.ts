import { useEffect, useRef, useState } from "preact/hooks";
import { sentenceOfFailure, type Wallet } from "./open-wallet.ts";
import { syncAll } from "./sync.ts";

export type Syncing = {
  readonly isRunning: boolean;
  /** Records brought home in this run. */
  readonly brought: number;
  readonly failure: string | undefined;
  start(options: { readonly renew: boolean }): void;
};

/** Syncs when the app starts and whenever the network comes back, and when somebody asks for it. */
export function useSync(wallet: Wallet, onChanged: () => Promise<void>): Syncing {
  const [isRunning, setRunning] = useState(false);
  const [brought, setBrought] = useState(0);
  const [failure, setFailure] = useState<string>();
  const running = useRef(false);

  async function run(renew: boolean): Promise<void> {
    if (running.current) return;
    running.current = true;
    setRunning(true);
    setBrought(0);
    try {
      setFailure(await sentenceOfFailure(() => syncAll(wallet, { renew, onProgress: setBrought })));
    } finally {
      running.current = false;
      setRunning(false);
      await onChanged();
    }
  }

  useEffect(() => {
    const whenOnline = (): void => void run(false);
    if (navigator.onLine) whenOnline();
    addEventListener("online", whenOnline);
    return () => removeEventListener("online", whenOnline);
  }, []);

  return { isRunning, brought, failure, start: ({ renew }) => void run(renew) };
}
