import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { PASSPHRASE } from "./issuer.ts";

type Answer = { readonly url?: string; readonly code?: string; readonly entries?: number };

const PROGRAM = fileURLToPath(new URL("../../../cairn/src/main.ts", import.meta.url));

/**
 * `cairn issuer …` as a process of its own. Resolves with its JSON answer, which says that it is up or done.
 * @throws Error with the code, when it failed.
 */
export async function cairn(
  t: TestContext,
  store: string | undefined,
  ...args: string[]
): Promise<{ child: ChildProcess; url: string; answer: Answer }> {
  const child = spawn(process.execPath, [PROGRAM, "issuer", ...args, "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      NODE_NO_WARNINGS: "1",
      CAIRN_PASSPHRASE: PASSPHRASE,
      ...(store === undefined ? {} : { CAIRN_STORE: store }),
    },
  });
  t.after(() => child.kill("SIGKILL"));
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  let said = "";
  for await (const line of createInterface({ input: child.stdout })) {
    said += line;
    const answer = parsed(said);
    if (answer?.code !== undefined) throw new Error(answer.code);
    if (answer !== undefined) return { child, url: answer.url ?? "", answer };
  }
  throw new Error(`cairn issuer ${args.join(" ")} did not start: ${said} ${errors}`);
}

/** Undefined as long as lines are missing. */
function parsed(said: string): Answer | undefined {
  try {
    return JSON.parse(said);
  } catch {
    return undefined;
  }
}

export async function end(child: ChildProcess, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}
