// Checks the user's account (ban, revoked token) for requests that reach no room or relay. Objects that hold
// connections check the account themselves before a connection begins.

import { accountOf, factsOf, type User } from "../../model/user.ts";
import { errorOf } from "../../rooms/rpc/fault.ts";
import { accountStub } from "../../rooms/rpc/object-names.ts";
import { objectsOf, type Placing } from "../../rooms/rpc/place.ts";

/** Throws `banned` or `token_revoked`. */
export async function checkAccount(user: User, placing: Placing): Promise<void> {
  const account = accountStub(objectsOf(placing), { tenant: user.tenant, user: accountOf(user) });
  const fault = await account.check(factsOf(user));
  if (fault) throw errorOf(fault);
}
