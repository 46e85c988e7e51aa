// A user as a token makes one, and a runtime without bindings, for tests of code that gets both.

import type { Runtime } from "../../src/dispatch/define/runtime.ts";

export { userOf } from "../../src/dispatch/testing/default-user.ts";

export const runtime: Runtime = { env: {} as Cloudflare.Env, waitUntil: () => {} };
