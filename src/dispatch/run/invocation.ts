// The fixed order of a call: find → authorise → validate. Pure but for the policies and schemas it runs.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { HubError } from "../../model/errors.ts";
import { StreamRef, type Invocation, type Stage } from "../../model/message.ts";
import type { User } from "../../model/user.ts";
import type { AnyMember, Arg } from "../define/hub-definition.ts";
import type { Policy } from "../define/policies.ts";

/** A hub as the dispatcher knows it: names look up a Map, never an object. */
export interface Table {
  readonly name: string;
  readonly authorize: Policy | undefined;
  readonly members: ReadonlyMap<string, AnyMember>;
  /** The members' names, by themselves in lower case. */
  readonly names: ReadonlyMap<string, string>;
}

export interface Invoked {
  readonly target: string;
  readonly args: readonly unknown[];
  readonly user: User | null;
  /** Turns the stand-in of a stream into its items. */
  open(ref: StreamRef): AsyncIterable<unknown>;
  /** Told how far the call has come, for words that depend on it. */
  reached?(stage: Stage): void;
}

/** The member and its validated arguments. Throws `method_not_found`, `forbidden` or `invalid_arguments`. */
export async function prepare(table: Table, call: Invoked): Promise<Prepared> {
  const member = find(table, call.target);
  call.reached?.("authorising");
  await authorise(table, member, call);
  call.reached?.("binding");
  return { member, args: await validate(member, call) };
}

export interface Prepared {
  readonly member: AnyMember;
  readonly args: unknown[];
}

/** What the table calls a target. Policies judge by this name, so a change of case must not lead past one. */
export const nameOf = (table: Table, { target, anyCase }: Invocation): string =>
  (anyCase ? table.names.get(target.toLowerCase()) : undefined) ?? target;

export function find(table: Table, target: string): AnyMember {
  const member = table.members.get(target);
  if (!member) throw new HubError("method_not_found", `Hub ${table.name} has no such method.`);
  return member;
}

async function authorise(table: Table, member: AnyMember, call: Invoked): Promise<void> {
  const asked = { hub: table.name, method: call.target, user: call.user, args: call.args };
  for (const policy of [table.authorize, member.policy])
    if (policy && !(await policy(asked)))
      throw new HubError("forbidden", `${table.name}.${call.target} is not for this user.`);
}

async function validate(member: AnyMember, call: Invoked): Promise<unknown[]> {
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

/** What ASP.NET would say, for hubs that show details. */
function unbound(error: HubError, { args: { length } }: AnyMember, { args }: Invoked): HubError {
  error.detail =
    args.length === length
      ? "InvalidDataException: Error binding arguments. Make sure that the types of the provided values match the types of the hub method being invoked."
      : `InvalidDataException: Invocation provides ${args.length} argument(s) but target expects ${length}.`;
  return error;
}

async function checkArgument(arg: Arg, value: unknown, index: number, call: Invoked) {
  if (!("streamOf" in arg)) return check(arg, value, `Argument ${index + 1}`);
  if (!(value instanceof StreamRef))
    throw new HubError("invalid_arguments", `Argument ${index + 1}: a stream is expected.`);
  return items(arg.streamOf, call.open(value));
}

async function* items(schema: StandardSchemaV1, source: AsyncIterable<unknown>) {
  for await (const item of source) yield await checkItem(schema, item);
}

/** The method that reads it meets the error in the middle of its work: so the code says that it is not its own. */
async function checkItem(schema: StandardSchemaV1, item: unknown): Promise<unknown> {
  try {
    return await check(schema, item, "Stream item");
  } catch (error) {
    throw error instanceof HubError ? new HubError("invalid_item", error.message) : error;
  }
}

/** The value as the schema gives it. Throws `invalid_arguments` with the first issue and its path. */
export async function check(schema: StandardSchemaV1, value: unknown, what: string) {
  const pending = schema["~standard"].validate(value);
  const result = pending instanceof Promise ? await pending : pending;
  if (!result.issues) return result.value;
  const [issue] = result.issues;
  const path = (issue?.path ?? []).map((part) =>
    String(typeof part === "object" ? part.key : part),
  );
  const where = path.length > 0 ? `${what} (${path.join(".")})` : what;
  throw new HubError("invalid_arguments", `${where}: ${issue?.message ?? "invalid"}`.slice(0, 500));
}
