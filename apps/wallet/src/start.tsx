import { Button, holdOneTab, Screen, type StorageCare, t, takeOverTab, useLanguage } from "@cairn/app-kit";
import { useEffect, useState } from "preact/hooks";
import { App } from "./app.tsx";
import { EnrolScreen } from "./screens/enrol-screen.tsx";
import { openWallet, type Wallet } from "./session/open-wallet.ts";

const TAB = "cairn-wallet";

type Stage =
  | { readonly at: "opening" | "elsewhere" }
  | { readonly at: "new" | "open"; readonly wallet: Wallet }
  | { readonly at: "broken"; readonly sentence: string };

/** From the closed app to an open wallet: one tab alone, the store, enrolment the first time. */
export function Start({ storage }: { readonly storage: StorageCare }) {
  useLanguage();
  const [stage, setStage] = useState<Stage>({ at: "opening" });

  async function open(hold: typeof holdOneTab): Promise<void> {
    try {
      const isOurs = await hold(TAB, () => setStage({ at: "elsewhere" }));
      if (!isOurs) {
        setStage({ at: "elsewhere" });
        return;
      }
      const wallet = await openWallet();
      setStage({ at: (await wallet.isEnrolled()) ? "open" : "new", wallet });
    } catch (error) {
      setStage({ at: "broken", sentence: error instanceof Error ? error.message : String(error) });
    }
  }

  useEffect(() => void open(holdOneTab), []);

  switch (stage.at) {
    case "opening":
      return <main class="screen" aria-busy="true" />;
    case "elsewhere":
      return (
        <Screen
          title={t("tab.title")}
          actions={
            <Button kind="main" onClick={() => open(takeOverTab)}>
              {t("tab.here")}
            </Button>
          }
        >
          <p>{t("tab.text")}</p>
        </Screen>
      );
    case "broken":
      return (
        <Screen title={t("failure.title")}>
          <p>{t("failure.text")}</p>
          <pre>{stage.sentence}</pre>
        </Screen>
      );
    case "new": {
      const { wallet } = stage;
      return <EnrolScreen wallet={wallet} storage={storage} onEnrolled={() => setStage({ at: "open", wallet })} />;
    }
    case "open":
      return <App wallet={stage.wallet} storage={storage} />;
  }
}
