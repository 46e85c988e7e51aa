// How long `vi.waitFor` and `vi.waitUntil` wait unless a test says so: the default of 1 s is too short on a busy
// machine. `expect.poll` is configured the same in vitest.config.ts.

import { vi } from "vitest";

const PATIENCE = { timeout: 60_000 };

type Options = number | { readonly timeout?: number; readonly interval?: number };

const patient = (options: Options = {}) =>
  typeof options === "number" ? options : { ...PATIENCE, ...options };

const { waitFor, waitUntil } = vi;
vi.waitFor = (callback, options) => waitFor(callback, patient(options));
vi.waitUntil = (callback, options) => waitUntil(callback, patient(options));
