import type { Partition } from "@cairn/issue";
import { texts } from "./binary-arrays.ts";
import type { Session } from "./session.ts";

/**
 * Each transaction leaves a mark, by which its process can find out whether it was kept when the reply to COMMIT was
 * lost. The next transaction of the process in the same partition takes away those that nobody will ask for.
 */
export class CommitMarks {
  readonly #settled = new Map<Partition, string[]>();

  /** Within the transaction; `done` once it is known to be kept. */
  write(session: Session, partition: Partition, mark: string): { done(): void } {
    const settled = this.#settled.get(partition) ?? [];
    // A process that was killed leaves its last marks behind; nobody asks after a day.
    session.later(
      `WITH gone AS (
          DELETE FROM commits WHERE partition = $1
            AND (mark = ANY($3::text[]::uuid[]) OR made_at < now() - interval '1 day')
        )
        INSERT INTO commits (partition, mark) VALUES ($1, $2)`,
      partition,
      mark,
      texts(settled),
    );
    return { done: () => void this.#settled.set(partition, [mark]) };
  }

  /** Under the partition's lock, which the transaction in question held to its end. */
  async isKept(session: Session, partition: Partition, mark: string): Promise<boolean> {
    const row = await session.get("SELECT 1 AS kept FROM commits WHERE partition = $1 AND mark = $2", partition, mark);
    return row !== undefined;
  }
}
