import { Button, holdOneTab, Screen, type StorageCare, t, takeOverTab, useLanguage } from "@cairn/app-kit";
import { useEffect, useState } from "preact/hooks";
import { App } from "./app.tsx";
import { EnrolScreen } from "./screens/enrol-screen.tsx";
import { SessionContext } from "./screens/session-context.ts";
import { type Device, openDevice } from "./session/open-device.ts";
import type { TerminalSession } from "./session/terminal-session.ts";
import { uploadByItself } from "./session/upload-by-itself.ts";

const TAB = "cairn-terminal";

type Stage =
  | { readonly at: "opening" | "elsewhere" }
  | { readonly at: "new"; readonly device: Device }
  | { readonly at: "open"; readonly session: TerminalSession }
  | { readonly at: "broken"; readonly sentence: string };

/** From the closed app to an open till: one tab alone, the journal, enrolment the first time. */
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
      const device = await openDevice();
      const session = await device.session();
      setStage(session === undefined ? { at: "new", device } : { at: "open", session });
    } catch (error) {
      setStage({ at: "broken", sentence: error instanceof Error ? error.message : String(error) });
    }
  }

  useEffect(() => void open(holdOneTab), []);
  useEffect(() => (stage.at === "open" ? uploadByItself(stage.session) : undefined), [stage]);

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
      const { device } = stage;
      return (
        <EnrolScreen
          storage={storage}
          onEnrol={async (input) => {
            const problem = await device.enrol(input);
            const session = problem === undefined ? await device.session() : undefined;
            if (session !== undefined) setStage({ at: "open", session });
            return problem;
          }}
        />
      );
    }
    case "open":
      return (
        <SessionContext.Provider value={stage.session}>
          <App storage={storage} />
        </SessionContext.Provider>
      );
  }
}
