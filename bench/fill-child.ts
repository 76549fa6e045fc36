import { sqliteFiller } from "./stored-payments.ts";

/** Fills a database file; ends early with the process that started it. */
const [, , path = "", payments] = process.argv;

process.on("disconnect", () => process.exit(1));
await sqliteFiller(path).fill(Number(payments), (line) => void process.send?.(line));
process.exit(0);
