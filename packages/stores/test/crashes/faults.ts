import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import type { PostgresServer } from "../../../../scripts/postgres-server.ts";
import type { SettlerProcess } from "./children.ts";
import { freeBytes, type PostgresTarget, type Target } from "./targets.ts";

/** What is done to a store at work. */
export type Fault = {
  readonly name: string;
  readonly stores: readonly Target["kind"][];
  /** Whether the settling process must be gone afterwards, or must go on by itself. */
  readonly ends: "process" | "nothing";
  /** Put before the settling process's command. */
  readonly wrapper?: (random: (below: number) => number) => readonly string[];
  readonly needs?: "tracer" | "small disk";
  /** Strikes, and mends what is broken. */
  strike(scene: Scene): Promise<void>;
};
export type Scene = {
  readonly target: Target;
  /** The one that uploads. */
  readonly settler: SettlerProcess;
  readonly random: (below: number) => number;
};

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Into the middle of something: after some words of the process, and some milliseconds. */
async function someMoment({ settler, random }: Scene): Promise<void> {
  await settler.hasSaid(1 + random(6));
  await pause(random(12));
}

/** Settling processes take leases of half a second (settler.child.ts). */
const LEASE_MS = 500;
const FLUSHES = "fsync,fdatasync";
const PANIC_WAITS = 200;
const PANIC_PAUSE_MS = 10;

const traced = (calls: string, injection: string): string[] => [
  ...["strace", "-f", "-qq", "-o", "/dev/null", "-e", `trace=${calls}`, "-e", `inject=${calls}:${injection}`],
];

export const FAULTS: readonly Fault[] = [
  {
    name: "process killed",
    stores: ["sqlite", "postgres"],
    ends: "process",
    strike: async (scene) => {
      await someMoment(scene);
      scene.settler.kill();
    },
  },
  {
    name: "process killed as it flushes to the disk",
    stores: ["sqlite"],
    ends: "process",
    needs: "tracer",
    wrapper: (random) => traced(FLUSHES, `signal=SIGKILL:when=${8 + random(25)}`),
    strike: async ({ settler }) => settler.ended(),
  },
  {
    name: "flushing to the disk fails",
    stores: ["sqlite"],
    ends: "process",
    needs: "tracer",
    wrapper: (random) => traced(FLUSHES, `error=EIO:when=${8 + random(20)}`),
    strike: async ({ settler }) => {
      await settler.ended();
      const told = settler.lines.at(-1);
      if (told === undefined || !("failed" in told) || told.failed !== "STORE_LOST")
        throw new Error("The disk failed, and nobody was told that the store is lost.");
    },
  },
  {
    name: "disk full",
    stores: ["sqlite", "postgres"],
    ends: "nothing",
    needs: "small disk",
    strike: async (scene) => {
      await someMoment(scene);
      const { disk } = scene.target;
      const ballast = join(disk, "ballast");
      const before = scene.settler.lines.length;
      const bytes = (await freeBytes(disk)) - scene.random(100_000);
      // When the store at work is faster than this the disk is full already.
      spawnSync("fallocate", ["-l", `${Math.max(4_096, bytes)}`, ballast], { stdio: "ignore" });
      await untilFailed(scene, before);
      await rm(ballast, { force: true });
    },
  },
  {
    name: "PostgreSQL killed",
    stores: ["postgres"],
    ends: "nothing",
    strike: async (scene) => {
      await someMoment(scene);
      const { server } = postgres(scene.target);
      await server.kill();
      await pause(scene.random(100));
      await server.restart();
    },
  },
  {
    name: "PostgreSQL hangs",
    stores: ["postgres"],
    ends: "nothing",
    strike: async (scene) => {
      await someMoment(scene);
      const thaw = await postgres(scene.target).server.freeze();
      await pause(scene.random(1_500));
      thaw();
    },
  },
  {
    // The other worker takes its partitions over; what it then wants to commit must not count.
    name: "process away for longer than its lease",
    stores: ["postgres"],
    ends: "nothing",
    strike: async (scene) => {
      await someMoment(scene);
      scene.settler.freeze();
      await pause(LEASE_MS + scene.random(400));
      scene.settler.thaw();
    },
  },
  {
    name: "PostgreSQL's clock jumps",
    stores: ["postgres"],
    ends: "nothing",
    strike: async (scene) => {
      await someMoment(scene);
      const hours = scene.random(2) === 0 ? 48 : -48;
      await moveLeases(postgres(scene.target).server, hours);
    },
  },
  {
    name: "PostgreSQL and process killed",
    stores: ["postgres"],
    ends: "process",
    strike: async (scene) => {
      await someMoment(scene);
      const { server } = postgres(scene.target);
      const killed = server.kill();
      scene.settler.kill();
      await killed;
      await server.restart();
    },
  },
  {
    name: "reply to COMMIT lost",
    stores: ["postgres"],
    ends: "nothing",
    strike: async (scene) => {
      await someMoment(scene);
      await postgres(scene.target).proxy.loseNext("reply");
    },
  },
  {
    name: "COMMIT lost",
    stores: ["postgres"],
    ends: "nothing",
    strike: async (scene) => {
      await someMoment(scene);
      await postgres(scene.target).proxy.loseNext("request");
    },
  },
  {
    name: "PostgreSQL's flush to the disk fails",
    stores: ["postgres"],
    ends: "nothing",
    needs: "tracer",
    strike: async (scene) => {
      await someMoment(scene);
      const { server } = postgres(scene.target);
      await failFlush(server, 1 + scene.random(6));
      await server.kill();
      await server.restart();
    },
  },
];

/** Until the process says that something failed, or has nothing left that could. */
async function untilFailed({ settler }: Scene, from: number): Promise<void> {
  while (!settler.hasEnded && !settler.lines.slice(from).some((line) => "failed" in line || "idle" in line))
    await settler.hasSaid(1);
}

/** Every process of the server fails its n-th flush of the log from now on, until it has fallen over, as it must. */
async function failFlush(server: PostgresServer, nth: number): Promise<void> {
  const postmaster = (await readFile(join(server.dataFolder, "postmaster.pid"), "utf8")).split("\n")[0] ?? "";
  const children = execFileSync("ps", ["-o", "pid=", "--ppid", postmaster], { encoding: "utf8" }).match(/\d+/g) ?? [];
  const [command = "", ...rest] = traced("fdatasync", `error=EIO:when=${nth}+`);
  const pids = [postmaster, ...children].flatMap((pid) => ["-p", pid]);
  const tracer = spawn(command, [...rest, ...pids], { stdio: "ignore" });
  const exited = once(tracer, "exit");
  for (let wait = 0; wait < PANIC_WAITS && !server.log().includes("PANIC"); wait++) await pause(PANIC_PAUSE_MS);
  tracer.kill("SIGKILL");
  await exited;
}

/** What leases look like once the server's clock has been set: to the future when it went back. */
async function moveLeases(server: PostgresServer, hours: number): Promise<void> {
  const client = new Client({ connectionString: server.connectionString });
  await client.connect();
  await client.query(
    "UPDATE cairn.partitions SET lease_expires_at = lease_expires_at + make_interval(hours => $1) WHERE lease_expires_at > '-infinity'",
    [hours],
  );
  await client.end();
}

function postgres(target: Target): PostgresTarget {
  if (target.kind !== "postgres") throw new Error("This fault is PostgreSQL's.");
  return target;
}

/** Whether system calls can be made to fail here: strace, and the right to trace. */
export function hasTracer(): boolean {
  return spawnSync("strace", ["-o", "/dev/null", "true"], { stdio: "ignore" }).status === 0;
}
