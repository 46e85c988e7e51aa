// Checks of what hub code sends against what the hub declares, in development and in tests alone: deployed code pays
// nothing for them. Values are sent as they are, never as a schema returns them, so that both behave alike. A schema
// that validates asynchronously is not asked: a check must not change the order of messages.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { isDevelopment } from "../../model/environment.ts";
import { HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { issueText } from "../../model/received-kind.ts";
import type { DeclaredClientMethod } from "./client-methods.ts";
import type { AnyHub } from "./hub-members.ts";
import { nameOf } from "./named-arguments.ts";

/** A hub, and whether it is under test. */
export interface CheckedHub {
  readonly hub: AnyHub;
  /** Whether what it sends is checked outside of development as well. */
  readonly isTested?: boolean;
}

/** Throws `invalid_message` for a call of a client method that the hub does not declare so. */
export type MessageCheck = (target: string, args: readonly unknown[]) => void;

const checks = ({ isTested }: CheckedHub, env: object): boolean =>
  isTested === true || isDevelopment(env);

/** Undefined where messages are not checked. */
export function messageCheckOf(served: CheckedHub, env: object): MessageCheck | undefined {
  const { name, settings } = served.hub;
  const methods = settings.client?.clientMethods;
  if (!methods || !checks(served, env)) return undefined;
  return (target, args) => {
    const method = Object.hasOwn(methods, target) ? methods[target] : undefined;
    const problem = method ? problemOf(method, args) : "the hub declares no such client method.";
    if (problem === undefined) return;
    const error = new HubError("invalid_message", `${name}.${target}: ${problem}`);
    // Hub code need not wait for a message, and would not notice.
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
    const name = nameOf(schema);
    const place = `Argument ${index + 1}${name === undefined ? "" : ` "${name}"`}`;
    const problem = refusal(schema, args[index], place);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/**
 * A function that gives a member's result as it is; undefined where results are not checked. It throws `invalid_result`
 * for one that the schema refuses.
 */
export function resultCheckOf(
  served: CheckedHub,
  { returns }: { readonly returns?: StandardSchemaV1 },
  { env, name }: { readonly env: object; readonly name: string },
): (<T>(result: T) => T) | undefined {
  if (!returns || !checks(served, env)) return undefined;
  return (result) => {
    const problem = refusal(returns, result, "Result");
    if (problem === undefined) return result;
    throw new HubError("invalid_result", `${served.hub.name}.${name}: ${problem}`);
  };
}

/** The first issue as a sentence. */
function refusal(schema: StandardSchemaV1, value: unknown, place: string): string | undefined {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) return void result.catch(() => {});
  return result.issues && issueText(place, result.issues, { value });
}
