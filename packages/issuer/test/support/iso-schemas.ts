import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/**
 * The schemas that ISO 20022 publishes, as the Debian package libhbci4j-core-java carries them. It has no camt.053, but
 * its sister camt.052 of the same release: account reports within the day. Their types are the same; the statement has
 * other names for three elements, and at least one balance. So the schema of the one is made of that of the other.
 */
const ARCHIVE = "/usr/share/java/hbci4j-core.jar";
const READ = "import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))";

export type Validator = (schema: "pain.001.001.09" | "camt.053.001.08", documents: readonly string[]) => string[];

/** Undefined, and the test skipped, where the tools are missing. The validator gives what xmllint finds wrong. */
export function schemaValidator(t: TestContext): Validator | undefined {
  const isThere = spawnSync("test", ["-r", ARCHIVE]).status === 0 && spawnSync("xmllint", ["--version"]).status === 0;
  if (!isThere) {
    const need = "needs the Debian packages libhbci4j-core-java and libxml2-utils";
    if (process.env.CI === "true") assert.fail(need);
    t.skip(need);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), "cairn-iso-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const schemas = {
    "pain.001.001.09": published("pain.001.001.09.xsd"),
    "camt.053.001.08": statementSchema(published("camt.052.001.08.xsd")),
  };
  for (const [name, text] of Object.entries(schemas)) writeFileSync(join(folder, `${name}.xsd`), text);
  return (schema, documents) => {
    const files = documents.map((document, index) => {
      const file = join(folder, `${index}.xml`);
      writeFileSync(file, document);
      return file;
    });
    const run = spawnSync("xmllint", ["--noout", "--schema", join(folder, `${schema}.xsd`), ...files], {
      encoding: "utf8",
    });
    const complaints = run.stderr.split("\n").filter((line) => line !== "" && !line.endsWith(" validates"));
    assert.equal(run.status === 0, complaints.length === 0, run.stderr);
    return complaints;
  };
}

function published(name: string): string {
  const run = spawnSync("/usr/bin/python3", ["-c", READ, ARCHIVE, name], { encoding: "utf8" });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout;
}

function statementSchema(report: string): string {
  const changes: [RegExp, string, number][] = [
    [/camt\.052\.001\.08/g, "camt.053.001.08", 2],
    [/BkToCstmrAcctRpt/g, "BkToCstmrStmt", 1],
    [/name="Rpt" type="AccountReport25"/g, 'name="Stmt" type="AccountReport25"', 1],
    [/name="RptPgntn"/g, 'name="StmtPgntn"', 1],
    [/minOccurs="0" name="Bal"/g, 'minOccurs="1" name="Bal"', 1],
  ];
  return changes.reduce((text, [from, to, times]) => {
    assert.ok((text.match(from) ?? []).length >= times, `${from} is in the schema`);
    return text.replaceAll(from, to);
  }, report);
}
