import "@cairn/app-kit/style.css";
import "./style.css";
import { askToKeepStorage, keepAppOnDevice, showTheme, startLanguage, UntoldFailure } from "@cairn/app-kit";
import { MESSAGES } from "@cairn/app-kit/messages";
import { render } from "preact";
import { Start } from "./start.tsx";

const place = document.getElementById("app");
if (place !== null) {
  showTheme();
  await startLanguage(MESSAGES);
  const storage = await askToKeepStorage();
  render(
    <>
      <Start storage={storage} />
      <UntoldFailure />
    </>,
    place,
  );
  await keepAppOnDevice();
}
