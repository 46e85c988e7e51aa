// Around a whole run of tests: a folder for what they store, the endpoints that files share, and plain sockets.

import { subscribe } from "node:diagnostics_channel";
import { accessSync, constants, mkdtempSync, rmSync, statfsSync } from "node:fs";
import type { ClientRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { lendEndpoints } from "./lender.ts";

/** A file system in memory, on Linux. A container's may be small: Docker gives 64 MB. */
const MEMORY = "/dev/shm";
const NEEDED_BYTES = 2 * 1024 ** 3;

/** A program that is about to end may still write into its folder. */
const REMOVED = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Every commit of an object is an fsync: 2 ms on a disk, nothing in memory. SIGKILL loses nothing on either.
  const folder = mkdtempSync(join(hasMemory() ? MEMORY : tmpdir(), "dormouse-tests-"));
  const remove = () => rmSync(folder, REMOVED);
  process.once("exit", remove);
  process.env["TMPDIR"] = folder;
  // wrangler alone has 10 MB of code, and is started a hundred times.
  process.env["NODE_COMPILE_CACHE"] = join(folder, "compiled");
  sendUncompressed();
  const lender = await lendEndpoints();
  project.provide("sharedEndpoints", lender.url);
  return async () => {
    await lender[Symbol.asyncDispose]();
    remove();
  };
}

/**
 * Sockets of this process offer no compression. Each module of a test goes to the engine by such a socket: to compress
 * it, on one machine, takes a quarter of vitest's CPU, and miniflare has no option for that.
 */
function sendUncompressed(): void {
  subscribe("http.client.request.created", (message) => {
    const { request } = message as { readonly request: ClientRequest };
    request.removeHeader("sec-websocket-extensions");
  });
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
