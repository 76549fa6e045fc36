import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { deviceIdOf, terminalIdOf } from "@cairn/messages";
import { ClientError } from "../../src/client/client-error.ts";
import { PASSPHRASE } from "../support/issuer.ts";
import { crypto } from "../support/values.ts";
import { addTerminal, KIOSK, makeWorld } from "../support/world.ts";

const MAIN = fileURLToPath(new URL("../../../cairn/src/main.ts", import.meta.url));

const failsWith = (code: string) => (error: unknown) => error instanceof ClientError && error.code === code;

type Ran = { readonly status: number; readonly stdout: string };

test("a blocked till's upload says once why it is turned away, and ends as a rule's refusal does", async (t) => {
  const { issuer, operator, folder } = await makeWorld(t);
  const { code } = await operator.createTerminalCode(KIOSK);
  const till = (...args: string[]) =>
    new Promise<Ran & { readonly stderr: string }>((resolve) => {
      const options = { env: { ...process.env, CAIRN_PASSPHRASE: PASSPHRASE } };
      const all = [MAIN, "terminal", ...args, "--data", join(folder, "till")];
      const child = execFile(process.execPath, all, options, (_, stdout, stderr) =>
        resolve({ status: child.exitCode ?? -1, stdout, stderr }),
      );
    });
  const enrolled = JSON.parse((await till("enrol", "--issuer", issuer.url, "--code", code, "--json")).stdout);
  await operator.setTerminalStatus(enrolled.terminalId, "frozen");
  const { status, stderr } = await till("upload");
  assert.equal(status, 3);
  assert.deepEqual(stderr.match(/CALLER_FROZEN/g), ["CALLER_FROZEN"], stderr);
  assert.match(stderr, /^CALLER_FROZEN: .*\nNothing is lost: .*\n$/);
});

test("a stolen till is found by its payee, blocked, and let in again when it is found", async (t) => {
  const { issuer, operator, terminal, wallet, ...at } = await makeWorld(t);
  const other = await addTerminal({ issuer, operator, ...at });
  const cairn = (...args: string[]): Promise<Ran> =>
    new Promise((resolve) => {
      const options = { env: { ...process.env, CAIRN_OPERATOR_TOKEN: issuer.operatorToken } };
      const child = execFile(
        process.execPath,
        [MAIN, "issuer", "terminal", ...args, "--issuer", issuer.url],
        options,
        (_, stdout) => resolve({ status: child.exitCode ?? -1, stdout }),
      );
    });
  const terminalId = terminalIdOf(terminal.signer.publicKey, crypto);
  const otherId = terminalIdOf(other.signer.publicKey, crypto);
  const listed = async (): Promise<unknown> => {
    const { terminals } = JSON.parse((await cairn("list", KIOSK, "--json")).stdout);
    return Object.fromEntries(terminals.map((each: typeof terminals) => [each.terminalId, each.status]));
  };

  assert.deepEqual(await listed(), { [terminalId]: "active", [otherId]: "active" });
  const blocked = JSON.parse((await cairn("block", terminalId, "--json")).stdout);
  assert.deepEqual([blocked.ok, blocked.terminal.status, blocked.terminal.payeeId], [true, "frozen", KIOSK]);
  assert.deepEqual(await listed(), { [terminalId]: "frozen", [otherId]: "active" });
  assert.match((await cairn("list", KIOSK)).stdout, new RegExp(`^${terminalId} .*BLOCKED`, "m"));
  await assert.rejects(terminal.client.upload([]), failsWith("CALLER_FROZEN"));
  await other.client.upload([]);

  const found = await cairn("unblock", terminalId);
  assert.equal(found.status, 0);
  assert.match(found.stdout, /brings what it holds/);
  await terminal.client.upload([]);

  const nobody = deviceIdOf(wallet.signer.publicKey, crypto);
  for (const [args, status, code] of [
    [["block", nobody], 3, "TERMINAL_UNKNOWN"],
    [["block", "till"], 2, "ID_INVALID"],
    [["list", "NOBODY"], 3, "PAYEE_UNKNOWN"],
    [["list", "no payee"], 2, "PAYEE_ID_INVALID"],
  ] as const) {
    const ran = await cairn(...args, "--json");
    assert.deepEqual([ran.status, JSON.parse(ran.stdout).code], [status, code], args.join(" "));
  }
});
