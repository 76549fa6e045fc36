export * from "./journal-error.ts";
export { MemoryTerminalJournal } from "./memory-terminal-journal.ts";
export { openSqliteTerminalJournal, SqliteTerminalJournal, TERMINAL_JOURNAL_FILE } from "./sqlite-terminal-journal.ts";
