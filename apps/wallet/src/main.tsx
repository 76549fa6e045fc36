import "@cairn/app-kit/style.css";
import "./style.css";
import { askToKeepStorage, KIT_MESSAGES, keepAppOnDevice, showTheme, startLanguage } from "@cairn/app-kit";
import { render } from "preact";
import { WALLET_MESSAGES } from "./messages.ts";
import { Start } from "./start.tsx";

const place = document.getElementById("app");
if (place !== null) {
  showTheme();
  await startLanguage([...KIT_MESSAGES, WALLET_MESSAGES]);
  render(<Start storage={await askToKeepStorage()} />, place);
  await keepAppOnDevice();
}
