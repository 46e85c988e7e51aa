// How long `vi.waitFor` and `vi.waitUntil` wait unless a test says so. `expect.poll` is configured the same in
// vitest.config.ts.

import { vi } from "vitest";
import { POLL_MS } from "./patience.ts";

const PATIENCE = { timeout: POLL_MS };

type Options = number | { readonly timeout?: number; readonly interval?: number };

const patient = (options: Options = {}) =>
  typeof options === "number" ? options : { ...PATIENCE, ...options };

const { waitFor, waitUntil } = vi;
vi.waitFor = (callback, options) => waitFor(callback, patient(options));
vi.waitUntil = (callback, options) => waitUntil(callback, patient(options));
