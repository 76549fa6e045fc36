import { Client, type ClientBase, type Connection, Query, type ResultBuilder } from "pg";
import type { Row } from "./rows.ts";

/** `Buffer` goes in binary form: bytes, or an array made by binary-arrays.ts. */
export type SqlValue = string | number | bigint | Buffer | null;

export type SqlStatement = { readonly text: string; readonly values: readonly SqlValue[] };

export type Reply = { readonly rows: Row[]; readonly count: number; readonly command: string };

/** Statements are prepared once a connection, each text under one name for the life of the process. */
const names = new Map<string, string>();

function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `cairn_${names.size}`;
    names.set(text, name);
  }
  return name;
}

/**
 * A statement for the driver, and its reply. Of its own, since the driver copies what it is told property by property,
 * which is a tenth of the time that a statement takes to be sent, and wraps each promise in another.
 */
class Statement extends Query<Row> {
  readonly name: string | undefined;
  readonly values: readonly SqlValue[] | undefined;
  /** Milliseconds, instead of what the connection allows. The driver reads it. */
  readonly query_timeout: number | undefined;
  readonly reply: Promise<Reply>;

  constructor(text: string, values: readonly SqlValue[] | undefined, timeoutMs: number | undefined) {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    super(text, (error: Error | null | undefined, { rows, rowCount, command }: Partial<ResultBuilder<Row>> = {}) => {
      if (error) reject(error);
      else resolve({ rows: rows ?? [], count: rowCount ?? 0, command: command ?? "" });
    });
    this.name = values === undefined ? undefined : nameOf(text);
    this.values = values;
    this.query_timeout = timeoutMs;
    this.reply = promise;
  }
}

/** Connections that gather what they are given until the end of this turn. */
const gathering = new WeakSet<Connection["stream"]>();

/** Statements that are sent in the same turn go to the system in one call instead of one each. */
function gather({ stream }: Connection): void {
  if (gathering.has(stream)) return;
  gathering.add(stream);
  stream.cork();
  process.nextTick(() => {
    gathering.delete(stream);
    stream.uncork();
  });
}

/**
 * @param values Undefined for a command that is not prepared, such as COMMIT.
 * @param timeoutMs Undefined: as long as the connection allows.
 */
export function send(
  client: ClientBase,
  text: string,
  values: readonly SqlValue[] | undefined,
  timeoutMs?: number,
): Promise<Reply> {
  if (client instanceof Client) gather(client.connection);
  const statement = new Statement(text, values, timeoutMs);
  client.query(statement);
  return statement.reply;
}
