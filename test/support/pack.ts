// Programs that tests run, and tarballs as `npm pack` makes them. Nothing comes from the network.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Packs the package of a folder. */
export async function pack(folder: string): Promise<string> {
  const target = mkdtempSync(join(tmpdir(), "dormouse-packed-"));
  process.once("exit", () => rmSync(target, { recursive: true, force: true }));
  const listed = await run("npm", ["pack", "--json", "--pack-destination", target], {
    ...{ cwd: folder, timeoutMs: 240_000 },
  });
  const [{ filename }] = JSON.parse(listed) as [{ readonly filename: string }];
  return join(target, filename);
}

export interface RunOptions {
  readonly cwd: string;
  /** Over the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** What the program prints. Throws all that it wrote. */
export async function run(
  program: string,
  args: readonly string[],
  { cwd, env: more = {}, timeoutMs: timeout = 120_000 }: RunOptions,
): Promise<string> {
  const env = {
    ...{ ...process.env, npm_config_offline: "true", npm_config_update_notifier: "false" },
    ...more,
  };
  try {
    const { stdout } = await promisify(execFile)(program, args, { cwd, env, timeout });
    return stdout;
  } catch (cause) {
    const { stdout = "", stderr = "" } = cause as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(" ")} failed:\n${stdout}\n${stderr}`, { cause });
  }
}
