import "@cairn/app-kit/style.css";
import "./style.css";
import { askToKeepStorage, keepAppOnDevice, showTheme, startLanguage } from "@cairn/app-kit";
import { MESSAGES } from "@cairn/app-kit/messages";
import { render } from "preact";
import { Start } from "./start.tsx";

const place = document.getElementById("app");
if (place !== null) {
  showTheme();
  await startLanguage(MESSAGES);
  render(<Start storage={await askToKeepStorage()} />, place);
  await keepAppOnDevice();
}
