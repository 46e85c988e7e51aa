// A folder for the time of one function. It is removed also if a signal ends the process meanwhile.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** `stopped` is aborted by a signal, which then ends the process as it would without this function. */
export async function inTemporaryFolder<T>(
  prefix: string,
  use: (folder: string, stopped: AbortSignal) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  const stopping = new AbortController();
  const leave = () => {
    for (const name of SIGNALS) process.off(name, stop);
    rmSync(folder, { recursive: true, force: true });
  };
  const stop = (name: NodeJS.Signals) => {
    stopping.abort();
    leave();
    process.kill(process.pid, name);
  };
  for (const name of SIGNALS) process.on(name, stop);
  try {
    return await use(folder, stopping.signal);
  } finally {
    leave();
  }
}
