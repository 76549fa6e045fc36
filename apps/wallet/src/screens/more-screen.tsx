import { Button, LookChoices, Notice, t } from "@cairn/app-kit";
import { useState } from "preact/hooks";
import { sentenceOfFailure, type Wallet } from "../session/open-wallet.ts";
import { useBusy } from "./shared.tsx";

type Devices = Awaited<ReturnType<Wallet["client"]["devices"]>>;

/** What is set once, and what to do when another device is lost. */
export function MoreScreen({ wallet }: { readonly wallet: Wallet }) {
  return (
    <main class="screen">
      <header>
        <h1>{t("more.title")}</h1>
      </header>
      <div class="content">
        <LostDevice wallet={wallet} />
        <Choices />
      </div>
    </main>
  );
}

function LostDevice({ wallet }: { readonly wallet: Wallet }) {
  const [devices, setDevices] = useState<Devices>();
  const [problem, setProblem] = useState<string>();
  const [asked, setAsked] = useState<Devices[number]>();
  const [isBusy, run] = useBusy();
  const load = (): Promise<void> =>
    run(async () => {
      setProblem(
        await sentenceOfFailure(async () => {
          setDevices(await wallet.client.devices());
          return undefined;
        }),
      );
    });
  const report = (device: Devices[number]): Promise<void> =>
    run(async () => {
      setProblem(
        await sentenceOfFailure(async () => {
          await wallet.client.reportLoss(device.deviceId);
          setAsked(undefined);
          setDevices(await wallet.client.devices());
          return undefined;
        }),
      );
    });
  return (
    <section class="panel">
      <h2>{t("lost.title")}</h2>
      <p>{t("lost.explain")}</p>
      {problem !== undefined && <Notice kind="warn">{problem}</Notice>}
      {asked !== undefined && (
        <Notice kind="bad" title={t("lost.sure", { name: asked.label })}>
          <div class="content">
            <Button kind="danger" disabled={isBusy} onClick={() => report(asked)}>
              {t("lost.yes")}
            </Button>
            <Button onClick={() => setAsked(undefined)}>{t("cancel")}</Button>
          </div>
        </Notice>
      )}
      {devices === undefined ? (
        <Button disabled={isBusy} onClick={load}>
          {t("lost.show")}
        </Button>
      ) : (
        <ul class="list">
          {devices.map((device) => (
            <li key={device.deviceId}>
              <div class="row">
                <span>
                  <strong>{device.label}</strong>
                  <span class="hint">{t(`device.${device.status}`)}</span>
                </span>
                {device.isCaller ? (
                  <span class="pill good">{t("lost.this")}</span>
                ) : (
                  <Button
                    kind="danger"
                    disabled={isBusy || device.status !== "active"}
                    onClick={() => setAsked(device)}
                  >
                    {t("lost.report")}
                  </Button>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Choices() {
  return (
    <section class="panel">
      <h2>{t("settings.title")}</h2>
      <LookChoices />
    </section>
  );
}
