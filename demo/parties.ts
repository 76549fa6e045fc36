import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Answer, networkWall, runCairn, startCairn, startNode } from "./cairn-process.ts";

/** The parties of the demo: each has a folder of its own, and each command is a process of its own. */
export type Folders = {
  readonly root: string;
  readonly issuer: string;
  readonly wallet: string;
  readonly clone: string;
  readonly kiosk: string;
  readonly ferry: string;
  /** Where code pictures are written by one party and read by another: what a screen and a camera do in life. */
  readonly pictures: string;
};

export function foldersIn(root: string): Folders {
  const [issuer, wallet, clone, kiosk, ferry, pictures] = [
    "issuer",
    "wallet",
    "wallet-clone",
    "kiosk",
    "ferry",
    "pictures",
  ].map((name) => join(root, name)) as [string, string, string, string, string, string];
  return { root, issuer, wallet, clone, kiosk, ferry, pictures };
}

export type IssuerProcess = { readonly url: string; readonly child: ChildProcess; stop(): Promise<void> };

/** Starts the issuer's server and waits until it says where it is. */
export async function startIssuerProcess(folder: string, port = 0): Promise<IssuerProcess> {
  const child = startCairn(["issuer", "start", "--data", folder, "--port", String(port), "--json"], {
    environment: { CAIRN_PASSPHRASE: "demo passphrase" },
  });
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said += String(chunk);
  });
  const url = await readyUrl(child, () => said);
  return {
    url,
    child,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

async function readyUrl(child: ChildProcess, said: () => string): Promise<string> {
  let text = "";
  if (child.stdout !== null) {
    for await (const line of createInterface({ input: child.stdout })) {
      text += line;
      if (line === "}") break;
    }
  }
  const answer = text === "" ? {} : (JSON.parse(text) as { url?: string });
  if (answer.url === undefined) throw new Error(`The issuer did not start: ${text}${said()}`);
  return answer.url;
}

/** Runs a command that must succeed. */
export async function must(
  args: readonly string[],
  options: Parameters<typeof runCairn>[1] = {},
): Promise<Record<string, unknown>> {
  const answer = await runCairn(args, options);
  if (answer.exitCode !== 0)
    throw new Error(`cairn ${args.join(" ")} was expected to work: ${JSON.stringify(answer.json)} ${answer.stderr}`);
  return answer.json;
}

/** Runs a command that must be turned away with this code. */
export async function mustRefuse(
  code: string,
  args: readonly string[],
  options: Parameters<typeof runCairn>[1] = {},
): Promise<Answer> {
  const answer = await runCairn(args, options);
  if (answer.exitCode !== 3 || answer.json.code !== code)
    throw new Error(`cairn ${args.join(" ")} was expected to be refused with ${code}: ${JSON.stringify(answer.json)}`);
  return answer;
}

/** Tries to reach the issuer from inside the wall, in the way that wallet and terminal are about to run. Gives what happened. */
export async function probe(url: string, folder: string): Promise<string> {
  const script = `fetch(${JSON.stringify(`${url}/health`)}).then(() => console.log("reached"), (error) => console.log(error.cause?.code ?? error.code ?? "no connection"))`;
  const child = startNode(["--eval", script], { offline: { folders: [folder] } });
  let text = "";
  for await (const chunk of child.stdout ?? []) text += String(chunk);
  return text.trim();
}

export { networkWall };
