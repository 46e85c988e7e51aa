// Around a whole run of tests: a folder for what they store, and the endpoints that files share.

import { accessSync, constants, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { lendEndpoints } from "./lender.ts";

/** A file system in memory, on Linux. A container's may be small: Docker gives 64 MB. */
const MEMORY = "/dev/shm";
const NEEDED_BYTES = 2 * 1024 ** 3;

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Every commit of an object is an fsync: 2 ms on a disk, nothing in memory. SIGKILL loses nothing on either.
  const folder = mkdtempSync(join(hasMemory() ? MEMORY : tmpdir(), "dormouse-tests-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  process.env["TMPDIR"] = folder;
  const lender = await lendEndpoints();
  project.provide("sharedEndpoints", lender.url);
  return async () => {
    await lender[Symbol.asyncDispose]();
    remove();
  };
}

function hasMemory(): boolean {
  try {
    accessSync(MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= NEEDED_BYTES;
  } catch {
    return false;
  }
}
