// Validates values of clients by the schemas of a hub: arguments of a call, items of a stream, results of client
// methods.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { HubError, serverError } from "../../model/errors.ts";
import { StreamRef } from "../../model/message.ts";
import { issueText, receivedKind } from "../../model/received-kind.ts";
import { bind, repair, type Binder } from "./bind-value.ts";
import type { AnyMember, Arg } from "./hub-definition.ts";
import { argumentName } from "./named-arguments.ts";

/** A call before its arguments are validated. */
export interface PendingCall {
  readonly args: readonly unknown[];
  /** The items of the stream for this placeholder. */
  open(ref: StreamRef): AsyncIterable<unknown>;
  /** Why the arguments could not be read, if so. */
  readonly unreadable?: HubError | undefined;
  /** How values bind to schemas. Absent: without conversion. */
  readonly binder?: Binder | undefined;
}

/**
 * Validates in the order of the parameters, and resolves with the output of the schemas. A missing argument is
 * validated as undefined, so that schemas decide whether it is optional. Throws `invalid_arguments`, also for surplus
 * arguments.
 */
export async function validate(
  member: Pick<AnyMember, "args">,
  call: PendingCall,
): Promise<unknown[]> {
  const { length } = member.args;
  if (call.unreadable) throw bindingError(call.unreadable, member, { ...call, args: member.args });
  if (call.args.length > length)
    throw bindingError(
      new HubError("invalid_arguments", `${call.args.length} arguments; ${length} expected.`),
      member,
      call,
    );
  const checked: unknown[] = [];
  try {
    for (const [index, arg] of member.args.entries())
      checked.push(await checkArgument(arg, index, call));
  } catch (error) {
    throw error instanceof HubError ? bindingError(error, member, call) : error;
  }
  return checked;
}

/**
 * Marks the error as the server's own, with the detail that is shown in development and by hubs with `detailedErrors`:
 * ASP.NET's text for arguments that do not bind, then the argument.
 */
export function bindingError(
  error: HubError,
  { args: { length } }: Pick<AnyMember, "args">,
  { args }: Pick<PendingCall, "args">,
): HubError {
  error.isOwn = true;
  error.detail =
    args.length === length
      ? `InvalidDataException: Error binding arguments. Make sure that the types of the provided values match the types of the hub method being invoked. ${error.message}`
      : `InvalidDataException: Invocation provides ${args.length} argument(s) but target expects ${length}.`;
  return error;
}

async function checkArgument(arg: Arg, index: number, call: PendingCall) {
  const value = call.args[index];
  const name = () => argumentName(arg, index);
  const { binder } = call;
  if (!("streamOf" in arg)) return checkBound(arg, value, { name, binder });
  if (!(value instanceof StreamRef))
    throw new HubError(
      "invalid_arguments",
      `${name()}: a stream is expected (received: ${receivedKind(value)}).`,
    );
  return items(arg.streamOf, call.open(value), binder);
}

/** Validates each item when it is read. */
async function* items(
  schema: StandardSchemaV1,
  source: AsyncIterable<unknown>,
  binder: Binder | undefined,
) {
  for await (const item of source) yield await checkItem(schema, item, binder);
}

/**
 * The method gets the error while it reads the stream: the code `invalid_item` distinguishes it from an invalid
 * argument of the method's own calls.
 */
async function checkItem(
  schema: StandardSchemaV1,
  item: unknown,
  binder: Binder | undefined,
): Promise<unknown> {
  try {
    return await checkBound(schema, item, { name: () => "Stream item", binder });
  } catch (error) {
    throw error instanceof HubError ? serverError("invalid_item", error.message) : error;
  }
}

/**
 * The output of the schema. `what` is the value's name in the error. Throws `invalid_arguments` with the first issue
 * and its path.
 */
export async function check(schema: StandardSchemaV1, value: unknown, what: string) {
  const pending = schema["~standard"].validate(value);
  return valueOf(pending instanceof Promise ? await pending : pending, { name: () => what, value });
}

interface Checked {
  /** Names the value in an error. */
  name(): string;
  readonly binder?: PendingCall["binder"];
}

/** Like `check`, with the call's rules for binding. A plain value that is valid needs none. */
export async function checkBound(
  schema: StandardSchemaV1,
  value: unknown,
  { name, binder }: Checked,
) {
  const checked = { name, value };
  if (binder && typeof value === "object")
    return valueOf(await bind(schema, value, binder), checked);
  const pending = schema["~standard"].validate(value);
  const result = pending instanceof Promise ? await pending : pending;
  if (!result.issues || !binder) return valueOf(result, checked);
  return valueOf(await repair(schema, { value, result }, binder.binding), checked);
}

/** Like `checkBound`, for a client's result: null, which is none on the wire, is undefined for a schema such as `void`. */
export async function checkAnswer(schema: StandardSchemaV1, answer: unknown, checked: Checked) {
  try {
    return await checkBound(schema, answer, checked);
  } catch (error) {
    if (answer !== null) throw error;
    return checkBound(schema, undefined, checked).catch(() => {
      throw error;
    });
  }
}

function valueOf(
  result: StandardSchemaV1.Result<unknown>,
  { name, value }: Pick<Checked, "name"> & { readonly value: unknown },
): unknown {
  if (!result.issues) return result.value;
  throw new HubError("invalid_arguments", issueText(name(), result.issues, { value }));
}
