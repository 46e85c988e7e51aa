// Files that share an engine begin with empty storage: objects that run are aborted and lose their storage. Those that
// sleep keep it, so all accounts are woken first: files have users of the same names, and one may be banned. A file
// that damages or migrates storage, or looks at all objects, has an engine of its own (`*.alone.test.ts`).

import { listDurableObjectIds, reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll } from "vitest";

beforeAll(async () => {
  const accounts = await listDurableObjectIds(env.ACCOUNTS);
  await Promise.all(accounts.map((id) => runInDurableObject(env.ACCOUNTS.get(id), () => {})));
  await reset();
});
