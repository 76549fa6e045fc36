import { setFlagsFromString } from "node:v8";

/** Of new objects, in megabytes, each half. */
const NEW_SPACE = "--max-semi-space-size=16";
/** Of glibc, on Linux: bodies of uploads get pages of their own, which the system has back once they are freed. */
const ALLOCATION = { MALLOC_MMAP_THRESHOLD_: "65536", MALLOC_TRIM_THRESHOLD_: "131072" };
/** Old objects are looked through when there are half as many again; by itself the engine waits for several times as many. */
const GROWTH = "--heap-growing-percent=50";

/**
 * Sets bounds for the memory of a process that serves for months, most of which is otherwise garbage that nobody looked
 * for. Some of it can be set only as a process starts, so this one starts anew in its own place: the same process id,
 * the same files, no second process. Where that cannot be done everything works, with more memory.
 * Decision: docs/decisions/0065-where-the-servers-memory-goes.md.
 * @param argv As of `process.argv`.
 */
export function boundServerMemory(argv: readonly string[]): void {
  if (!isServer(argv)) return;
  setFlagsFromString(GROWTH);
  const { execArgv, env, execPath, platform } = process;
  // Set by whoever starts it, or by us before: a process starts anew once.
  const isSet = [...execArgv, ...(env.NODE_OPTIONS ?? "").split(" ")].some(isNewSpace);
  if (isSet || platform === "win32" || process.execve === undefined) return;
  try {
    process.execve(execPath, [execPath, NEW_SPACE, ...execArgv, ...argv.slice(1)], { ...ALLOCATION, ...env });
  } catch {
    // Not allowed to start programs, not even itself.
  }
}

const isServer = ([, , party, command]: readonly string[]): boolean =>
  party === "issuer" && (command === "start" || command === "worker");

const isNewSpace = (option: string): boolean => /^--max[-_]semi[-_]space[-_]size\b/.test(option);
