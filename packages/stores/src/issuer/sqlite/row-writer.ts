import type { SQLInputValue } from "node:sqlite";
import type { Database } from "./database.ts";

/** Twice as many gain no more; with eight times as many a row costs more than alone. */
const ROWS_AT_ONCE = 8;

/**
 * Writes rows of one table, in their order, eight by one statement: to begin one, open the table with its indices and end
 * is a sixth to a fourth of what a row costs by itself. Within the caller's transaction, which has to be undone whole when
 * a row is refused: what its statement wrote before stays until then (OR FAIL), because keeping pages to undo a statement
 * alone costs a part of what is gained.
 */
export class RowWriter {
  readonly #database: Database;
  readonly #table: string;
  readonly #columns: number;
  /** Of the rows that are not written yet, one row's behind the other's. */
  readonly #values: SQLInputValue[];
  #count = 0;

  constructor(database: Database, table: string, columns: number) {
    this.#database = database;
    this.#table = table;
    this.#columns = columns;
    this.#values = Array<SQLInputValue>(ROWS_AT_ONCE * columns).fill(null);
  }

  /** @param row Of each of the table's columns its value. @throws the database's own error when a row is refused. */
  add(...row: readonly SQLInputValue[]): void {
    for (let column = 0; column < row.length; column++) this.#values[this.#count++] = row[column] as SQLInputValue;
    if (this.#count === this.#values.length) this.flush();
  }

  /** Writes the rows that were added and are not written yet. @throws as `add` */
  flush(): void {
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    const values = count === this.#values.length ? this.#values : this.#values.slice(0, count);
    this.#database.run(insertion(this.#table, this.#columns, count / this.#columns), ...values);
  }
}

/** By table, and there by how many rows. */
const insertions = new Map<string, string[]>();

/** The same text every time: a statement is found by it. */
function insertion(table: string, columns: number, rows: number): string {
  const ofTable = insertions.get(table) ?? [];
  const known = ofTable[rows];
  if (known !== undefined) return known;
  const row = `(${Array(columns).fill("?").join(", ")})`;
  const text = `INSERT OR FAIL INTO ${table} VALUES ${Array(rows).fill(row).join(", ")}`;
  ofTable[rows] = text;
  insertions.set(table, ofTable);
  return text;
}
