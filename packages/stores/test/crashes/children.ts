import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ChildInput, ChildLine } from "./settler.child.ts";

const SCRIPT = fileURLToPath(new URL("settler.child.ts", import.meta.url));
/** Nothing here takes so long; a child that says nothing for so long hangs, and the run fails. */
const SILENCE_MS = 60_000;

/** A process that uploads and settles, and everything that it said. */
export class SettlerProcess {
  readonly lines: ChildLine[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #errors = "";
  #told: (() => void) | undefined;

  /** @param wrapper Put before the command, such as a tracer. */
  constructor(input: ChildInput, wrapper: readonly string[] = []) {
    const [command = "", ...rest] = [...wrapper, process.execPath, SCRIPT, JSON.stringify(input)];
    const child = spawn(command, rest, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, NODE_NO_WARNINGS: "1", UV_THREADPOOL_SIZE: "1" },
    });
    this.#child = child;
    child.stdin.on("error", () => undefined);
    child.stderr.on("data", (chunk: Buffer) => {
      this.#errors += chunk.toString();
    });
    const read = (async () => {
      for await (const line of createInterface({ input: child.stdout })) {
        this.lines.push(JSON.parse(line));
        this.#told?.();
      }
    })();
    this.#ended = Promise.all([once(child, "exit"), read]).finally(() => this.#told?.());
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Until it has said so many more lines; fewer when it ends before. */
  async hasSaid(more: number): Promise<void> {
    const wanted = this.lines.length + more;
    while (this.lines.length < wanted && !this.hasEnded)
      await new Promise<void>((resolve, reject) => {
        const silence = setTimeout(() => {
          this.#child.kill("SIGKILL");
          reject(new Error(`The settling process said nothing for long. ${this.#errors}`));
        }, SILENCE_MS);
        this.#told = () => {
          clearTimeout(silence);
          resolve();
        };
      });
  }

  /** Stops it where it is, until it is told to go on. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Ends by itself, cleanly. */
  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await this.ended();
  }

  /** @throws when it failed by itself, rather than being killed or told to stop. */
  async ended(): Promise<void> {
    await this.#ended;
    const { exitCode, signalCode } = this.#child;
    // A tracer that was told to kill says so by its own exit code.
    if (exitCode !== 0 && signalCode !== "SIGKILL" && exitCode !== 137)
      throw new Error(`The settling process failed (${exitCode ?? signalCode}).\n${this.#errors}`);
  }
}
