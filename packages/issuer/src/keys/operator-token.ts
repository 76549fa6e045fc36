import { join } from "node:path";
import { base64url } from "../api/wire.ts";
import type { Random } from "../ports.ts";
import { readIfThere, writeDurably } from "./durable-file.ts";

const TOKEN_BYTES = 32;

/** The operator's bearer token: made at the first start, kept in `operator-token` in the data folder, owner only. */
export async function openOperatorToken(dataFolder: string, random: Random): Promise<string> {
  const path = join(dataFolder, "operator-token");
  const kept = await readIfThere(path);
  if (kept !== undefined) return new TextDecoder().decode(kept).trim();
  const made = base64url(random.bytes(TOKEN_BYTES));
  await writeDurably(path, `${made}\n`);
  return made;
}
