// Whether a user's account refuses it, for requests that reach no object which would ask: those that hold connections
// ask by themselves before one begins.

import { HubError } from "../../model/errors.ts";
import { accountOf, factsOf, type User } from "../../model/user.ts";
import { accountStub } from "../../rooms/rpc/object-names.ts";
import type { ObjectEnv } from "../../rooms/rpc/object-env.ts";

/** Throws `banned` or `token_revoked`. */
export async function checkAccount(user: User, env: Pick<ObjectEnv, "ACCOUNTS">): Promise<void> {
  const account = accountStub(env, { tenant: user.tenant, user: accountOf(user) });
  const fault = await account.check(factsOf(user));
  if (fault) throw new HubError<string>(fault.code, fault.message);
}
