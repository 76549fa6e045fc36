import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Edit, SeededBug } from "./bug.ts";

export const root = fileURLToPath(new URL("..", import.meta.url));
const COPIED = [
  ...["packages", "vectors", "bench", "fuzz", "prove", "docs", "scripts", "testing", "seeded-bugs", "mutation"],
  ...["package.json", "tsconfig.json"],
];

/** The text with the edit in it. @throws Error unless it is found exactly once. */
export function applied(edit: Edit, text: string): string {
  const parts = text.split(edit.find);
  if (parts.length !== 2)
    throw new Error(`${edit.file} has ${parts.length - 1} places with:\n${edit.find}\nAdjust it in seeded-bugs/bugs.`);
  return parts.join(edit.replace);
}

/** A copy of the project in which bugs can be planted one after the other. What is installed is only linked. */
export class PatchedCopy {
  readonly folder = mkdtempSync(join(tmpdir(), "cairn-seeded-"));

  constructor() {
    for (const name of COPIED)
      cpSync(join(root, name), join(this.folder, name), {
        recursive: true,
        filter: (path) => !/node_modules/.test(relative(root, path)),
      });
    const modules = join(this.folder, "node_modules");
    mkdirSync(join(modules, "@cairn"), { recursive: true });
    for (const name of readdirSync(join(root, "node_modules")))
      if (name !== "@cairn") symlinkSync(join(root, "node_modules", name), join(modules, name));
    for (const name of readdirSync(join(this.folder, "packages")))
      symlinkSync(join(this.folder, "packages", name), join(modules, "@cairn", name), "junction");
  }

  plant({ edits }: SeededBug): void {
    for (const edit of edits) {
      const file = join(this.folder, edit.file);
      writeFileSync(file, applied(edit, readFileSync(file, "utf8")));
    }
  }

  /** Everything as it was. */
  heal({ edits }: SeededBug): void {
    for (const { file } of edits) cpSync(join(root, file), join(this.folder, file));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
