import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { findWall, type Wall, withoutNetwork } from "./network.ts";

const CAIRN = fileURLToPath(new URL("../packages/cairn/src/main.ts", import.meta.url));

/** What a command answered with `--json`, and how it ended. */
export type Answer = {
  readonly exitCode: number | null;
  readonly json: Record<string, unknown>;
  readonly stderr: string;
};

/** `offline`: the process gets no network at all, and may write only into these folders. */
export type RunOptions = {
  readonly offline?: { readonly folders: readonly string[] };
  readonly environment?: NodeJS.ProcessEnv;
};

let wall: Wall | undefined;
/** The wall that this machine puts around offline processes; found once. */
export function networkWall(): Wall {
  wall ??= findWall();
  return wall;
}

/** Starts one `cairn` command as a process of its own. */
export function startCairn(args: readonly string[], options: RunOptions = {}): ChildProcess {
  return startNode([CAIRN, ...args], options);
}

export function startNode(script: readonly string[], options: RunOptions = {}): ChildProcess {
  const flags = options.offline === undefined ? [] : withoutNetwork(options.offline.folders);
  const plain = [process.execPath, ...flags, ...script];
  const [program = process.execPath, ...rest] = options.offline === undefined ? plain : networkWall().wrap(plain);
  return spawn(program, rest, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_NO_WARNINGS: "1", ...options.environment },
  });
}

/** Runs one `cairn` command to its end and reads its JSON answer. */
export async function runCairn(args: readonly string[], options: RunOptions = {}): Promise<Answer> {
  const child = startCairn([...args, "--json"], options);
  return answerOf(child, args.join(" "));
}

/** Waits for a child's end and reads the one JSON value that it printed. */
export async function answerOf(child: ChildProcess, what: string): Promise<Answer> {
  const [stdout, stderr] = await Promise.all([collect(child, "stdout"), collect(child, "stderr"), ended(child)]);
  try {
    return { exitCode: child.exitCode, json: JSON.parse(stdout) as Record<string, unknown>, stderr };
  } catch (cause) {
    throw new Error(`cairn ${what} ended with ${child.exitCode ?? child.signalCode} and said: ${stdout}${stderr}`, {
      cause,
    });
  }
}

async function collect(child: ChildProcess, which: "stdout" | "stderr"): Promise<string> {
  let text = "";
  for await (const chunk of child[which] ?? []) text += String(chunk);
  return text;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}
