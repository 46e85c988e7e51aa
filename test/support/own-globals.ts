// Files of tests share a process: variables, spies, globals and timers that one has replaced there are as before when
// it ends.

import { afterAll, vi } from "vitest";

const variables = { ...process.env };

afterAll(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
  // A command that runs in this process sets variables for wrangler, which its programs would inherit.
  for (const name of Object.keys(process.env))
    if (!Object.hasOwn(variables, name)) delete process.env[name];
  Object.assign(process.env, variables);
});
