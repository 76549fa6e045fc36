import { generateWebSigner, type Signer, webSigner } from "@cairn/cose";
import { deviceKeyPair } from "@cairn/stores/browser";

/** Whole seconds since 1970, by the device's own clock. */
export const deviceClock = { nowSeconds: (): number => Math.floor(Date.now() / 1000) };
export const deviceRandom = { bytes: (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length)) };

/** The device's key, made the first time. It can sign, and nobody can read it out. */
export async function deviceSigner(name: string): Promise<Signer> {
  return webSigner(await deviceKeyPair(name, async () => (await generateWebSigner()).keyPair));
}

/** The issuer that served this app: the app lies one folder below it. */
export function issuerAddress(): string {
  return new URL("..", new URL("./", location.href)).href.replace(/\/$/, "");
}

/** The one-time code of a link such as /wallet/#enrol=CODE. Taken out of the address, so that it is not shown or kept. */
export function takeEnrolmentCode(): string | undefined {
  const code = new URLSearchParams(location.hash.slice(1)).get("enrol");
  if (code === null) return undefined;
  history.replaceState(history.state, "", location.pathname);
  return code;
}

/** What a scanned or typed text gives as an enrolment code: the code of a link to this issuer, or the text itself. */
export function enrolmentCodeIn(text: string): string {
  const link = URL.canParse(text) ? new URL(text) : undefined;
  return (link && new URLSearchParams(link.hash.slice(1)).get("enrol")) ?? text.trim();
}
