// The fixed order of a call: find → authorise → validate. Pure but for the policies and schemas it runs.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { HubError } from "../../model/errors.ts";
import { StreamRef, type Invocation, type Stage } from "../../model/message.ts";
import type { User } from "../../model/user.ts";
import { check } from "../define/check-value.ts";
import type { AnyMember, Arg } from "../define/hub-definition.ts";
import type { Table } from "../define/hub-tables.ts";
import { anyone } from "../define/policies.ts";

export interface PendingCall {
  /** The method's name in the hub. */
  readonly target: string;
  readonly args: readonly unknown[];
  readonly user: User | null;
  /** Turns the stand-in of a stream into its items. */
  open(ref: StreamRef): AsyncIterable<unknown>;
  /** Called with each stage that the call reaches, for error texts that depend on it. */
  reached?(stage: Stage): void;
}

/** Finds, authorises and validates. Throws `method_not_found`, `forbidden` or `invalid_arguments`. */
export async function prepare(table: Table, call: PendingCall): Promise<PreparedCall> {
  const member = find(table, call.target);
  return { member, args: await admit(table, member, call) };
}

export interface PreparedCall {
  readonly member: AnyMember;
  readonly args: unknown[];
}

/**
 * The name under which the hub has a target that the caller may have spelled in another case. Policies judge by this
 * name, so a change of case must not lead past one.
 */
export const nameOf = (table: Table, { target, anyCase }: Invocation): string =>
  (anyCase ? table.names.get(target.toLowerCase()) : undefined) ?? target;

export function find(table: Table, target: string): AnyMember {
  const member = table.members.get(target);
  if (!member) throw new HubError("method_not_found", `Hub ${table.name} has no such method.`);
  return member;
}

/** Authorises and validates a call whose member was found; gives the arguments as the schemas make them. */
export async function admit(
  table: Table,
  member: AnyMember,
  call: PendingCall,
): Promise<unknown[]> {
  call.reached?.("authorising");
  await authorise(table, member, call);
  call.reached?.("binding");
  return validate(member, call);
}

async function authorise(table: Table, member: AnyMember, call: PendingCall): Promise<void> {
  const judged = { hub: table.name, method: call.target, user: call.user, args: call.args };
  for (const policy of [table.authorize, member.policy])
    if (policy && policy !== anyone && !(await policy(judged)))
      throw new HubError("forbidden", `${table.name}.${call.target} is not for this user.`);
}

async function validate(member: AnyMember, call: PendingCall): Promise<unknown[]> {
  const { length } = member.args;
  if (call.args.length > length)
    throw unbound(
      new HubError("invalid_arguments", `${call.args.length} arguments; ${length} expected.`),
      member,
      call,
    );
  const checked: unknown[] = [];
  try {
    for (const [index, arg] of member.args.entries())
      checked.push(await checkArgument(arg, call.args[index], index, call));
  } catch (error) {
    throw error instanceof HubError ? unbound(error, member, call) : error;
  }
  return checked;
}

/** Adds ASP.NET's text for arguments that do not bind, which hubs with `detailedErrors` show. */
function unbound(
  error: HubError,
  { args: { length } }: AnyMember,
  { args }: PendingCall,
): HubError {
  error.detail =
    args.length === length
      ? "InvalidDataException: Error binding arguments. Make sure that the types of the provided values match the types of the hub method being invoked."
      : `InvalidDataException: Invocation provides ${args.length} argument(s) but target expects ${length}.`;
  return error;
}

async function checkArgument(arg: Arg, value: unknown, index: number, call: PendingCall) {
  if (!("streamOf" in arg)) return check(arg, value, `Argument ${index + 1}`);
  if (!(value instanceof StreamRef))
    throw new HubError("invalid_arguments", `Argument ${index + 1}: a stream is expected.`);
  return items(arg.streamOf, call.open(value));
}

async function* items(schema: StandardSchemaV1, source: AsyncIterable<unknown>) {
  for await (const item of source) yield await checkItem(schema, item);
}

/** The reading method gets this error in the middle of its work: `invalid_item` says that it is not its own. */
async function checkItem(schema: StandardSchemaV1, item: unknown): Promise<unknown> {
  try {
    return await check(schema, item, "Stream item");
  } catch (error) {
    throw error instanceof HubError ? new HubError("invalid_item", error.message) : error;
  }
}
