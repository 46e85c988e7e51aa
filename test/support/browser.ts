// A real Chromium for tests, from npm alone: nothing is downloaded, and nothing of the system is needed.

import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium as playwright, type Browser } from "playwright-core";

const MODULES = fileURLToPath(new URL("../../node_modules/", import.meta.url));
const UNPACK = fileURLToPath(new URL("unpack-chromium.ts", import.meta.url));

/**
 * Some keep it from asking the network for what tests do not need; the rest are for machines without a display, and
 * for slow ones: the pages of a context and a site share one renderer.
 */
const FLAGS = [
  "--process-per-site",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--font-render-hinting=none",
];

export async function launchBrowser(): Promise<Browser> {
  const folder = await unpacked();
  const executablePath = join(folder, "chromium");
  return playwright.launch({
    executablePath,
    args: FLAGS,
    chromiumSandbox: false,
    env: { ...process.env, ...librariesFor(executablePath, folder) },
  });
}

/** 200 MB, unpacked in two seconds: once for each installation. */
async function unpacked(): Promise<string> {
  const folder = join(MODULES, ".cache/dormouse-chromium");
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const draft = mkdtempSync(`${folder}-`);
  await promisify(execFile)(process.execPath, [UNPACK], {
    env: { ...process.env, TMPDIR: draft },
  });
  try {
    renameSync(draft, folder);
  } catch (error) {
    // Another run was faster, and its browser is as good.
    if (!existsSync(folder)) throw error;
    rmSync(draft, { recursive: true });
  }
  return folder;
}

/**
 * A small machine lacks libraries which the package brings along; where there are some, the system's own are better.
 */
function librariesFor(executable: string, folder: string): Record<string, string> {
  if (spawnSync(executable, ["--version"], { timeout: 20_000 }).status === 0) return {};
  return {
    LD_LIBRARY_PATH: join(folder, "al2023/lib"),
    FONTCONFIG_PATH: join(folder, "fonts"),
  };
}
