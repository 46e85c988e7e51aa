// The checks of a call before its handler runs: its member, the policies, the arguments. hub-call.ts uses this file
// only if a policy may refuse the call, or if there is no such member.

import { HubError } from "../../model/errors.ts";
import { freezeDeep } from "../../model/plain-json.ts";
import { withFacts } from "../../model/refusal-facts.ts";
import type { Topic } from "../../model/topic.ts";
import type { AnyMember } from "../define/hub-definition.ts";
import type { ServedHub, Table } from "../define/hub-tables.ts";
import { anyone, type Policy } from "../define/policies.ts";
import { forbidden, policyText } from "../define/policy-names.ts";
import type { Runtime } from "../define/runtime.ts";
import { validate, type PendingCall } from "../define/validate.ts";
import type { User } from "../../model/user.ts";

/** The input of policies. */
export interface CheckedCall {
  /** The method's name in the hub. */
  readonly target: string;
  /** The arguments as the client sent them. */
  readonly args: readonly unknown[];
  /** Null only in tests: every transport requires a token. */
  readonly user: User | null;
  readonly runtime: Runtime;
}

/**
 * Finds a member by its exact name, authorises and validates. Rejects with `method_not_found`, `forbidden`,
 * `invalid_arguments`, or the error of a policy.
 */
export async function prepare(
  table: Table,
  call: CheckedCall & PendingCall,
): Promise<PreparedCall> {
  const member = table.members.get(call.target);
  if (!member) throw noMethod(table, call.target);
  await authorise(table, member, call);
  return { member, args: await validate(member, call) };
}

/** A call that passed all checks. */
interface PreparedCall {
  readonly member: AnyMember;
  /** The output of the schemas; streams are async iterables of validated items. */
  readonly args: unknown[];
}

/** Actions are called by name like methods. */
export const noMethod = (
  { name, members, state }: Table & Partial<Pick<ServedHub, "state">>,
  received: string,
): HubError =>
  withFacts(new HubError("method_not_found", `Hub ${name} has no such method.`), () => ({
    expected: [...members.keys(), ...(state?.actions.keys() ?? [])],
    received,
  }));

/** The error for an unknown action that is named together with its room. */
export const noAction = (
  { name, state }: Pick<ServedHub, "name" | "state">,
  kind: Topic["kind"],
  received: string,
): HubError =>
  withFacts(
    new HubError("method_not_found", `Hub ${name} has no such action in rooms of kind ${kind}.`),
    () => ({ expected: [...(state?.actions.keys() ?? [])], received }),
  );

/**
 * Both policies must allow the call: first the hub's, then the member's. Policies see arguments before validation.
 * Rejects with `forbidden`, or the error of a policy.
 */
export async function authorise(
  table: Table,
  member: { readonly policy?: Policy },
  call: CheckedCall,
): Promise<void> {
  const { target: method, user, args, runtime } = call;
  const judged = { hub: table.name, method, user: freezeDeep(user), args, ...runtime };
  for (const policy of [table.authorize, member.policy])
    if (policy && policy !== anyone && !(await policy(judged)))
      throw forbidden(`${table.name}.${call.target} is not for this user.`, {
        expected: () => policyText(policy),
        user,
      });
}
