import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** From the environment, or from a file in the folder, made at the first start. */
export async function findPassphrase(folder: string): Promise<{ text: string; file: string; made: boolean }> {
  const file = join(folder, "passphrase");
  const given = process.env.CAIRN_PASSPHRASE;
  if (given !== undefined) return { text: given, file, made: false };
  try {
    return { text: (await readFile(file, "utf8")).trim(), file, made: false };
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const text = randomBytes(24).toString("base64url");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(file, `${text}\n`, { mode: 0o600, flag: "wx", flush: true });
  return { text, file, made: true };
}
