// Whether a user's account refuses it, for requests that reach no object which would ask: those that hold connections
// ask by themselves before one begins.

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
