import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Runs the pinned Node.js in the project's folder and gives back all that it wrote. */
export function runNode(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    // Inside a test, this variable would make a test runner among the children report to the outer one.
    const { NODE_TEST_CONTEXT: _outer, ...own } = process.env;
    const child = spawn(process.execPath, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...own, NODE_NO_WARNINGS: "1", ...environment },
    });
    const out: string[] = [];
    const err: string[] = [];
    child.stdout.setEncoding("utf8").on("data", (text) => out.push(text));
    child.stderr.setEncoding("utf8").on("data", (text) => err.push(text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout: out.join(""), stderr: err.join("") }));
  });
}

/** The last lines of what a failed search wrote: enough to go on with. */
export function lastWords({ stdout, stderr }: Ended): string {
  const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-30).join("\n");
}
