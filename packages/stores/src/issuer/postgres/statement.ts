import { type ClientBase, type Connection, Query } from "pg";
import type { Row } from "./rows.ts";

/** `Buffer` goes in binary form: bytes, or an array made by binary-arrays.ts. */
export type SqlValue = string | number | bigint | Buffer | null;

export type SqlStatement = { readonly text: string; readonly values: readonly SqlValue[] };

export type Reply = { readonly rows: Row[]; readonly count: number; readonly command: string };

type Parse = (value: string) => string | bigint;

type Column = { readonly name: string; readonly parse: Parse };

type Sent = {
  readonly name: string;
  readonly text: string;
  readonly values: (string | Buffer | null)[];
  readonly rows: Row[];
  /** The server's word on what it did, such as "INSERT 0 20". */
  done: string;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
};

/** What the driver keeps of a connection's prepared statements: text by name, once answered and until then. */
type Preparing = Connection & {
  readonly parsedStatements: Record<string, string>;
  readonly submittedNamedStatements: Record<string, string>;
};

const INT8 = 20;
const INT2 = 21;
const INT4 = 23;
const NUMERIC = 1700;
const BYTEA = 17;
const toHexadecimal: Parse = (value) => value.slice(2);
const asItIs: Parse = (value) => value;

/** Whole numbers become bigint, bytes their hexadecimal text, everything else stays text. */
function parserOf(type: number): Parse {
  if (type === INT8 || type === INT2 || type === INT4 || type === NUMERIC) return BigInt;
  return type === BYTEA ? toHexadecimal : asItIs;
}

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

/** By the name of a prepared statement, whose columns stay as they are: the server need not say them again. */
const columnsOf = new WeakMap<Connection, Map<string, readonly Column[]>>();

/**
 * Statements for the driver that are sent and answered together: the server replies when it is through with all of them,
 * and leaves out whatever comes behind one that failed. Of its own, since the driver asks for a reply, and a description
 * of its columns, for each.
 */
class Together extends Query<Row> {
  /** Of the statement that is being answered; the driver reads both. */
  name = "";
  text = "";
  /** Milliseconds, instead of what the connection allows. The driver reads it. */
  query_timeout: number | undefined;
  /** The driver puts its clock around it. */
  callback = (error: unknown): void => this.#settle(error ?? undefined);
  readonly #sent: Sent[] = [];
  #answered = 0;
  #columnsOf = new Map<string, readonly Column[]>();
  #columns: readonly Column[] | undefined;

  constructor() {
    super("");
  }

  add(text: string, values: readonly SqlValue[] | undefined, timeoutMs: number | undefined): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    this.#sent.push({
      // A command's own text, by which it is known on the wire.
      name: values === undefined ? text : nameOf(text),
      text,
      values: (values ?? []).map((value) =>
        typeof value === "number" || typeof value === "bigint" ? String(value) : value,
      ),
      rows: [],
      done: "",
      resolve,
      reject,
    });
    if (timeoutMs !== undefined) this.query_timeout = Math.max(timeoutMs, this.query_timeout ?? 0);
    return promise;
  }

  override submit = (connection: Connection): void => {
    const { parsedStatements, submittedNamedStatements } = connection as Preparing;
    this.#columnsOf = columnsOf.get(connection) ?? new Map();
    columnsOf.set(connection, this.#columnsOf);
    connection.stream.cork();
    for (const { name, text, values } of this.#sent) {
      if (parsedStatements[name] === undefined && submittedNamedStatements[name] === undefined) {
        connection.parse({ name, text, types: [] }, true);
        submittedNamedStatements[name] = text;
      }
      connection.bind({ statement: name, values }, true);
      if (!this.#columnsOf.has(name)) connection.describe({ type: "P" }, true);
      connection.execute(null, true);
    }
    connection.sync();
    connection.stream.uncork();
    this.#next();
  };

  handleRowDescription({ fields }: { readonly fields: readonly { name: string; dataTypeID: number }[] }): void {
    this.#columns = fields.map(({ name, dataTypeID }) => ({ name, parse: parserOf(dataTypeID) }));
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const columns = this.#columns ?? this.#columnsOf.get(this.name) ?? [];
    const row: Record<string, string | bigint | null> = {};
    for (let index = 0; index < columns.length; index++) {
      const { name, parse } = columns[index] as Column;
      const value = fields[index];
      row[name] = value === null || value === undefined ? null : parse(value);
    }
    this.#sent[this.#answered]?.rows.push(row);
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    const sent = this.#sent[this.#answered++];
    if (sent === undefined) return;
    sent.done = text;
    if (!this.#columnsOf.has(sent.name)) this.#columnsOf.set(sent.name, this.#columns ?? []);
    this.#next();
  }

  /** What was left out was not prepared either. */
  handleError(error: unknown, connection: Connection): void {
    const { submittedNamedStatements } = connection as Preparing;
    for (const { name } of this.#sent.slice(this.#answered)) delete submittedNamedStatements[name];
    this.callback(error);
  }

  handleReadyForQuery(): void {
    this.callback(undefined);
  }

  #next(): void {
    const next = this.#sent[this.#answered];
    this.name = next?.name ?? "";
    this.text = next?.text ?? "";
    this.#columns = undefined;
  }

  /** What was answered before a failure is undone with it, or not yet kept: the server commits behind its last answer. */
  #settle(error: unknown): void {
    for (const { rows, done, resolve, reject } of this.#sent)
      if (error !== undefined) reject(error);
      else resolve({ rows, command: done.split(" ", 1)[0] ?? "", count: Number(/\d+$/.exec(done)?.[0] ?? 0) });
  }
}

/** What is being gathered for a connection until the end of this turn. */
const gathering = new WeakMap<ClientBase, Together>();

/**
 * What is sent over one connection in one turn goes to the system in one call, and the server answers it in one. So
 * whatever must be done even when something else fails goes in a turn of its own.
 * @param values Undefined for a command such as COMMIT.
 * @param timeoutMs Undefined: as long as the connection allows.
 */
export function send(
  client: ClientBase,
  text: string,
  values: readonly SqlValue[] | undefined,
  timeoutMs?: number,
): Promise<Reply> {
  let together = gathering.get(client);
  if (together === undefined) {
    const begun = new Together();
    together = begun;
    gathering.set(client, begun);
    process.nextTick(() => {
      gathering.delete(client);
      client.query(begun);
    });
  }
  return together.add(text, values, timeoutMs);
}
