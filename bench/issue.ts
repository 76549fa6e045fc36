import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rawEs256 } from "./measure.ts";
import { buildWorld } from "./world.ts";

/**
 * Issuing on SQLite beside the signature that bounds it, in one run on one thread.
 *
 * - rawSignPerSecond: ES256 signatures per second of this runtime, its key ready.
 * - certificatesPerSecond: the account with its certificates is read under its lock, the decision made and written with
 *   its explanation, then the certificate signed and stored. As many devices are online at once as `devicesAtOnce` says,
 *   so that they share flushes of the disk, as they do in the server.
 * - processorMicrosecondsEach: what of a processor each took, user and system; processorRatio is that of a raw signature
 *   over it, and hardly depends on the disk or on what else the machine does.
 * - oneAtATimePerSecond: the same when each waits for the one before: two flushes of the disk for each certificate.
 */
const DEVICES = 2_000;
const DEVICES_AT_ONCE = 64;
const ALONE = 400;

export async function issue(report: (line: string) => void): Promise<Record<string, unknown>> {
  report("measuring raw ES256 signatures...");
  const before = await rawEs256();
  report(`issuing ${DEVICES} certificates, ${DEVICES_AT_ONCE} devices at once...`);
  const together = await issued(DEVICES, DEVICES_AT_ONCE);
  report(`issuing ${ALONE} certificates, one after the other...`);
  const alone = await issued(ALONE, 1);
  const after = await rawEs256();
  const rawSignPerSecond = Math.max(before.signPerSecond, after.signPerSecond);
  return {
    rawSignPerSecond: Math.round(rawSignPerSecond),
    certificatesPerSecond: Math.round(together.perSecond),
    ratio: rounded(together.perSecond / rawSignPerSecond),
    devicesAtOnce: DEVICES_AT_ONCE,
    oneAtATimePerSecond: Math.round(alone.perSecond),
    processorMicrosecondsEach: Math.round(together.processorMicroseconds),
    processorRatio: rounded(1_000_000 / rawSignPerSecond / together.processorMicroseconds),
  };
}

const rounded = (ratio: number): number => Math.round(ratio * 1000) / 1000;

/** Certificates per second, and what each takes of a processor while the disk is not waited for. */
async function issued(
  devices: number,
  atOnce: number,
): Promise<{ readonly perSecond: number; readonly processorMicroseconds: number }> {
  const folder = await mkdtemp(join(tmpdir(), "cairn-bench-"));
  try {
    const world = await buildWorld(folder, { accounts: devices, paymentsEach: 0 });
    try {
      const begin = performance.now();
      const before = process.cpuUsage();
      await world.issueAll(atOnce);
      const { user, system } = process.cpuUsage(before);
      const perSecond = (devices / (performance.now() - begin)) * 1000;
      return { perSecond, processorMicroseconds: (user + system) / devices };
    } finally {
      await world.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
