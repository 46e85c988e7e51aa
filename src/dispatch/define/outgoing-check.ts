// Checks messages and results of hub code against the hub's declarations, only in development and in tests: deployed
// code does not check them. Values are sent unchanged, never as the output of a schema, so that both behave alike.
// Asynchronous schemas are skipped, because a check must not change the order of messages.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { isDevelopment } from "../../model/environment.ts";
import { HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { issueText } from "../../model/received-kind.ts";
import type { DeclaredClientMethod } from "./client-methods.ts";
import type { AnyHub } from "./hub-members.ts";
import { argumentName } from "./named-arguments.ts";

/** A hub, and whether it is under test. */
export interface CheckedHub {
  readonly hub: AnyHub;
  /** Whether outgoing values are checked outside of development as well. */
  readonly isTested?: boolean;
}

/** Throws `invalid_message` for a call of a client method that differs from the hub's declaration. */
export type MessageCheck = (target: string, args: readonly unknown[]) => void;

const checks = ({ isTested }: CheckedHub, env: object): boolean =>
  isTested === true || isDevelopment(env);

/** The check of a hub's messages; undefined if they are not checked. */
export function messageCheckOf(served: CheckedHub, env: object): MessageCheck | undefined {
  const { name, settings } = served.hub;
  const methods = settings.client?.clientMethods;
  if (!methods || !checks(served, env)) return undefined;
  return (target, args) => {
    const method = Object.hasOwn(methods, target) ? methods[target] : undefined;
    const problem = method ? problemOf(method, args) : "the hub declares no such client method.";
    if (problem === undefined) return;
    const error = new HubError("invalid_message", `${name}.${target}: ${problem}`);
    // Logged too, because hub code may not await the message.
    logError("invalid_message", { hub: name, method: target, problem });
    throw error;
  };
}

function problemOf(
  { args: schemas }: DeclaredClientMethod,
  args: readonly unknown[],
): string | undefined {
  if (args.length > schemas.length) return `${args.length} arguments; ${schemas.length} declared.`;
  for (const [index, schema] of schemas.entries()) {
    const problem = refusal(schema, args[index], argumentName(schema, index));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/**
 * A function that returns a member's result unchanged, or throws `invalid_result` if its schema refuses it; undefined
 * if results are not checked. An absent result is null on the wire: a schema that takes undefined takes null as well.
 */
export function resultCheckOf(
  served: CheckedHub,
  { returns }: { readonly returns?: StandardSchemaV1 },
  { env, name }: { readonly env: object; readonly name: string },
): (<T>(result: T) => T) | undefined {
  if (!returns || !checks(served, env)) return undefined;
  return (result) => {
    const problem = refusal(returns, result, "Result");
    const isAbsent = result === null && !refusal(returns, undefined, "");
    if (problem === undefined || isAbsent) return result;
    throw new HubError("invalid_result", `${served.hub.name}.${name}: ${problem}`);
  };
}

/** The first issue as a sentence. */
function refusal(schema: StandardSchemaV1, value: unknown, place: string): string | undefined {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) return void result.catch(() => {});
  return result.issues && issueText(place, result.issues, { value });
}
