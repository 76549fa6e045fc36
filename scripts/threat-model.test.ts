import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** docs/security/threat-model.md promises that a test shows each line. So: the tests and vectors it names exist. */
const page = fileURLToPath(new URL("../docs/security/threat-model.md", import.meta.url));
const text = readFileSync(page, "utf8");

const ATTACKERS = [
  ...["relayed codes", "screenshots", "request swapping", "amount change", "payee swap", "downgrade of algorithm"],
  ...["malleable signatures", "hash collisions on truncated fields", "clock back-dating after revocation"],
  ...[
    "list rollback",
    "certificate id linking",
    "traffic and timing",
    "upload theft",
    "wrong hints",
    "enrolment code guessing",
  ],
  ...["server key theft", "insider at the database", "starving the server"],
];

type Row = { readonly attacker: string; readonly cells: readonly string[]; readonly shownBy: readonly Link[] };
type Link = { readonly name: string; readonly file: string };

const rows: readonly Row[] = text.split("\n").flatMap((line) => {
  const [, attacker] = /^\| \*\*(.+?)\*\*/.exec(line) ?? [];
  if (attacker === undefined) return [];
  const cells = line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "").trim());
  return [{ attacker, cells, shownBy: linksIn(cells.at(-1) ?? "") }];
});

function linksIn(cell: string): Link[] {
  return [...cell.matchAll(/\[`?(.+?)`?\]\((.+?)\)/g)].map(([, name = "", file = ""]) => ({ name, file }));
}

test("every attacker that was thought of has a row, with what it holds, what it gains and what shows it", () => {
  for (const wanted of ATTACKERS)
    assert.ok(
      rows.some(({ attacker }) => attacker.startsWith(wanted)),
      wanted,
    );
  for (const { attacker, cells, shownBy } of rows) {
    assert.equal(cells.length, 4, attacker);
    for (const cell of cells) assert.notEqual(cell, "", attacker);
    assert.ok(shownBy.length > 0, `${attacker} is shown by nothing`);
  }
});

for (const { attacker, shownBy } of rows) {
  test(`what shows the line on ${attacker} exists`, () => {
    for (const { name, file } of shownBy) {
      const path = join(dirname(page), file);
      assert.ok(existsSync(path), `${file} is not there`);
      const content = readFileSync(path, "utf8");
      // A test by its title, to which parameters may be added; a vector by its name.
      const places = file.endsWith(".json") ? [`"name": "${name}"`] : [`test("${name}`, `test(\`${name}`];
      assert.ok(
        places.some((place) => content.includes(place)),
        `${file} has no ${name}`,
      );
    }
  });
}
