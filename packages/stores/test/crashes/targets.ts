import { mkdir, mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type IssuerStore, openPostgresIssuerStore, SqliteIssuerStore } from "@cairn/stores";
import { type PostgresServer, startPostgresServer } from "../../../../scripts/postgres-server.ts";
import { CommitProxy } from "./commit-proxy.ts";
import type { ChildInput } from "./settler.child.ts";

/** A store that crashes are injected into. */
export type Target = SqliteTarget | PostgresTarget;

type Common = {
  /** Where its files lie; small when it is a disk of its own that can be filled. */
  readonly disk: string;
  /** How a settling process reaches it. */
  readonly store: ChildInput["store"];
  /** For looking, while no fault is at work. */
  open(): Promise<IssuerStore>;
  close(): Promise<void>;
};
export type SqliteTarget = Common & { readonly kind: "sqlite" };
export type PostgresTarget = Common & {
  readonly kind: "postgres";
  readonly server: PostgresServer;
  readonly proxy: CommitProxy;
};

export async function sqliteTarget(disk?: string): Promise<SqliteTarget> {
  const folder = await mkdtemp(join(disk ?? tmpdir(), "cairn-crashes-"));
  const path = join(folder, "issuer.sqlite");
  return {
    kind: "sqlite",
    disk: folder,
    store: { sqlite: path },
    open: async () => new SqliteIssuerStore(path),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

export async function postgresTarget(disk?: string): Promise<PostgresTarget> {
  const folder = disk === undefined ? undefined : join(disk, "postgres");
  if (folder !== undefined) await mkdir(folder, { recursive: true });
  const server = await startPostgresServer({
    ...(folder === undefined ? {} : { folder, settings: { max_wal_size: "64MB" } }),
  });
  const proxy = await CommitProxy.open(server);
  const schema = "cairn";
  return {
    kind: "postgres",
    disk: server.dataFolder,
    server,
    proxy,
    store: { postgres: `postgres://cairn@127.0.0.1:${proxy.port}/postgres`, schema },
    open: () => openPostgresIssuerStore({ connectionString: server.connectionString, schema, leaseSeconds: 0.5 }),
    close: async () => {
      await proxy.close();
      await server.stop();
    },
  };
}

export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
