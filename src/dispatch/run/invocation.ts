// The fixed order of checks before a handler runs: find → authorise → validate. Pure, except for the policies and
// schemas that it runs. Shared by the server and by tests of user code.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { HubError } from "../../model/errors.ts";
import { StreamRef, type Invocation, type Stage } from "../../model/message.ts";
import type { User } from "../../model/user.ts";
import { check } from "../define/check-value.ts";
import type { AnyMember, Arg } from "../define/hub-definition.ts";
import type { Table } from "../define/hub-tables.ts";
import { anyone } from "../define/policies.ts";

/** A call before its checks. */
export interface PendingCall {
  /** The method's name in the hub. */
  readonly target: string;
  readonly args: readonly unknown[];
  /** Null only in tests: every transport requires a token. */
  readonly user: User | null;
  /** The items of the stream that the placeholder stands for. */
  open(ref: StreamRef): AsyncIterable<unknown>;
  /** Called with each stage that the call reaches, for error texts that depend on it. */
  reached?(stage: Stage): void;
}

/** Finds, authorises and validates. Throws `method_not_found`, `forbidden` or `invalid_arguments`. */
export async function prepare(table: Table, call: PendingCall): Promise<PreparedCall> {
  const member = find(table, call.target);
  return { member, args: await admit(table, member, call) };
}

/** A call that passed all checks. */
export interface PreparedCall {
  readonly member: AnyMember;
  /** As the schemas return them; streams as async iterables of validated items. */
  readonly args: unknown[];
}

/**
 * The name under which the hub has a target that the caller may have spelled in another case. Policies judge by this
 * name, so a change of case must not lead past one.
 */
export const nameOf = (table: Table, { target, anyCase }: Invocation): string =>
  (anyCase ? table.names.get(target.toLowerCase()) : undefined) ?? target;

/** Finds a member by its exact name. Throws `method_not_found`. */
export function find(table: Table, target: string): AnyMember {
  const member = table.members.get(target);
  if (!member) throw new HubError("method_not_found", `Hub ${table.name} has no such method.`);
  return member;
}

/**
 * Authorises and validates a call whose member was found, and returns the arguments as the schemas return them. Throws
 * `forbidden`, `invalid_arguments`, or what a policy throws.
 */
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

/** Both policies must allow the call: first the hub's, then the member's. Policies see arguments before validation. */
async function authorise(table: Table, member: AnyMember, call: PendingCall): Promise<void> {
  const judged = { hub: table.name, method: call.target, user: call.user, args: call.args };
  for (const policy of [table.authorize, member.policy])
    if (policy && policy !== anyone && !(await policy(judged)))
      throw new HubError("forbidden", `${table.name}.${call.target} is not for this user.`);
}

/**
 * Validates in the order of the parameters. A missing argument is validated as undefined, so that schemas decide
 * whether it is optional; surplus arguments are refused.
 */
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

/** Validates each item when it is read. */
async function* items(schema: StandardSchemaV1, source: AsyncIterable<unknown>) {
  for await (const item of source) yield await checkItem(schema, item);
}

/**
 * The method that reads the stream gets this error in the middle of its work: the code `invalid_item` distinguishes it
 * from an invalid argument of its own calls.
 */
async function checkItem(schema: StandardSchemaV1, item: unknown): Promise<unknown> {
  try {
    return await check(schema, item, "Stream item");
  } catch (error) {
    throw error instanceof HubError ? new HubError("invalid_item", error.message) : error;
  }
}
