import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type IssuerStore, SqliteIssuerStore } from "@cairn/stores";
import type { Clock } from "../ports.ts";
import type { Logger } from "./logger.ts";
import { ServiceError } from "./service-error.ts";

export type BackupInfo = { readonly file: string; readonly state: "running" | "done" | "failed" };

/** Copies of the embedded database, made while the server works: it alone may read the file. One at a time. */
export class Backups {
  readonly #folder: string;
  readonly #store: IssuerStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  #latest: BackupInfo | undefined;

  constructor(input: {
    readonly folder: string;
    readonly store: IssuerStore;
    readonly clock: Clock;
    readonly log: Logger;
  }) {
    this.#folder = input.folder;
    this.#store = input.store;
    this.#clock = input.clock;
    this.#log = input.log;
  }

  get latest(): BackupInfo | undefined {
    return this.#latest;
  }

  /** Begins a copy, or joins the one that is being made. @throws ServiceError BACKUP_ELSEWHERE */
  async start(): Promise<BackupInfo> {
    const store = this.#store;
    if (!(store instanceof SqliteIssuerStore)) throw new ServiceError("BACKUP_ELSEWHERE");
    if (this.#latest?.state === "running") return this.#latest;
    const time = new Date(this.#clock.nowSeconds() * 1_000).toISOString().replace(/[-:]|\.000/g, "");
    const file = join(this.#folder, `issuer-${time}.sqlite`);
    // Asked for twice within one second: that copy is as new as another one would be.
    if (this.#latest?.file === file && this.#latest.state === "done") return this.#latest;
    const running = { file, state: "running" } as const;
    this.#latest = running;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    void this.#copy(store, running);
    return running;
  }

  async #copy(store: SqliteIssuerStore, running: BackupInfo): Promise<void> {
    try {
      await store.backUp(running.file);
      this.#latest = { ...running, state: "done" };
      this.#log.info({ file: running.file }, "backup made");
    } catch (error) {
      this.#latest = { ...running, state: "failed" };
      this.#log.error({ err: error, file: running.file }, "backup failed");
    }
  }
}
