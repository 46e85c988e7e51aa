// Files that share an engine begin with empty storage: objects that run are aborted and lose their storage. Those that
// a test evicted keep it, so the accounts of users that most files have are woken first. A file that damages or
// migrates storage, or looks at all objects, has an engine of its own (`*.alone.test.ts`).

import { reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll } from "vitest";
import { accountName } from "../../src/rooms/rpc/object-names.ts";

const USERS = ["alice", "bob", "carol", "eve"];

beforeAll(async () => {
  await Promise.all(
    USERS.map((user) => {
      const account = env.ACCOUNTS.getByName(accountName({ tenant: "default", user }));
      return runInDurableObject(account, () => {});
    }),
  );
  await reset();
});
