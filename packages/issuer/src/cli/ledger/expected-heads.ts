import { readFile } from "node:fs/promises";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { LedgerHead } from "../../api/operator-api.ts";
import { CommandError, EXIT } from "../outcome.ts";

const EarlierResult = Type.Object({ heads: Type.Array(LedgerHead, { maxItems: 256 }) });

/** The newest entries that an earlier audit told, from the file that its `--json` went into. @throws CommandError EXPECTED_UNREADABLE */
export async function readExpected(file: string) {
  try {
    return Value.Decode(EarlierResult, JSON.parse(await readFile(file, "utf8"))).heads;
  } catch {
    throw new CommandError({
      code: "EXPECTED_UNREADABLE",
      sentence: `${file} is no result of an earlier audit.`,
      next: "Write one with: cairn ledger verify --json > FILE",
      exitCode: EXIT.usage,
    });
  }
}
