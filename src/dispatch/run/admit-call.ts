// The checks of a call before its handler runs: its member, the policies, the arguments.

import { HubError } from "../../model/errors.ts";
import { withFacts } from "../../model/refusal-facts.ts";
import type { AnyMember } from "../define/hub-definition.ts";
import type { Table } from "../define/hub-tables.ts";
import { anyone } from "../define/policies.ts";
import { forbidden, policyText } from "../define/policy-names.ts";
import { validate, type PendingCall } from "../define/validate.ts";

/** Finds, authorises and validates. Throws `method_not_found`, `forbidden` or `invalid_arguments`. */
export async function prepare(table: Table, call: PendingCall): Promise<PreparedCall> {
  const member = findMember(table, call.target);
  return { member, args: await admitCall(table, member, call) };
}

/** A call that passed all checks. */
interface PreparedCall {
  readonly member: AnyMember;
  /** As the schemas return them; streams as async iterables of validated items. */
  readonly args: unknown[];
}

/** Finds a member by its exact name. Throws `method_not_found`. */
export function findMember(table: Table, target: string): AnyMember {
  const member = table.members.get(target);
  if (!member) throw noMethod(table, target);
  return member;
}

const noMethod = ({ name, members }: Table, received: string): HubError =>
  withFacts(new HubError("method_not_found", `Hub ${name} has no such method.`), () => ({
    expected: [...members.keys()],
    received,
  }));

/**
 * Authorises and validates a call whose member was found, and returns the arguments as the schemas return them. Throws
 * `forbidden`, `invalid_arguments`, or what a policy throws.
 */
export async function admitCall(
  table: Table,
  member: AnyMember,
  call: PendingCall,
): Promise<unknown[]> {
  call.reached?.("authorising");
  await authorise(table, member, call);
  call.reached?.("binding");
  return validate(member, call);
}

/** Both policies must allow the call: first the hub's, then the member's. Policies see arguments before validation. */
async function authorise(table: Table, member: AnyMember, call: PendingCall): Promise<void> {
  const { target: method, user, args, runtime } = call;
  const judged = { hub: table.name, method, user, args, ...runtime };
  for (const policy of [table.authorize, member.policy])
    if (policy && policy !== anyone && !(await policy(judged)))
      throw forbidden(`${table.name}.${call.target} is not for this user.`, {
        expected: () => policyText(policy),
        user,
      });
}
