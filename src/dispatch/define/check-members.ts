// Checks the declarations of a hub once, where they are made. Types say the same, but not in JavaScript, and not for a
// schema of a library that is too old.

import type { AnyHub } from "./hub-members.ts";
import { unnamed } from "./named-arguments.ts";
import { isPolicy } from "./policies.ts";

interface Declared {
  readonly kind?: string;
  readonly args?: unknown;
  readonly policy?: unknown;
  readonly handle?: unknown;
  readonly returns?: unknown;
}

/** `await` and JSON look up two of these names, the others are the protocol's. */
const RESERVED = /^(?:$|then$|toJSON$|\$\/|rpc\.)/;

const AS = { method: "a method", action: "an action", internal: "an internal action" } as const;

/** Throws a `TypeError` for a member of another kind, or one that could not be called. A stream counts as a method. */
export function checkMembers(
  hub: string,
  kind: keyof typeof AS,
  members: Readonly<Record<string, unknown>>,
): void {
  for (const [name, member] of Object.entries(members)) {
    const declared = Object(member) as Declared;
    const code = codeProblem(declared);
    if (code) throw new TypeError(`Hub "${hub}": ${name} is ${code}`);
    if (RESERVED.test(name)) throw new TypeError(`Hub "${hub}": "${name}" is a reserved name.`);
    const problem = problemOf(declared, kind);
    if (problem)
      throw new TypeError(
        `Hub "${hub}": ${name}: ${problem}. Declare it as ${kind}([schema, …], handler).`,
      );
  }
}

function problemOf({ kind, args, policy, handle, ...more }: Declared, expected: keyof typeof AS) {
  if (kind !== expected && (kind !== "stream" || expected !== "method"))
    return `it is not ${AS[expected]}`;
  if (!Array.isArray(args)) return "its schemas are not an array";
  const place = args.findIndex((arg) => !isSchema(Object(arg).streamOf ?? arg));
  if (place >= 0) return `argument ${place + 1} is not a Standard Schema`;
  if ("returns" in more && !isSchema(more.returns)) return "its result is not a Standard Schema";
  if (typeof handle !== "function") return "its handler is not a function";
  return isPolicy(kind === "internal" ? handle : policy)
    ? undefined
    : 'authorize(…) takes a policy, such as role("Admin")';
}

/** Throws a `TypeError` for a setting of the hub that should be a schema. */
export function checkSchemas({ name, settings, presenceState, stateful }: AnyHub): void {
  const schemas: Readonly<Record<string, unknown>> = {
    ...settings.answers,
    ...(presenceState && { presenceState }),
    ...(stateful && { state: stateful.options.schema }),
  };
  for (const [place, schema] of Object.entries(schemas))
    if (!isSchema(schema))
      throw new TypeError(`Hub "${name}": the schema of ${place} is not a Standard Schema.`);
  for (const [method, declared] of Object.entries(settings.client?.clientMethods ?? {})) {
    const { args } = Object(declared) as Declared;
    if (RESERVED.test(method) || !Array.isArray(args) || !args.every(isSchema))
      throw new TypeError(
        `Hub "${name}": the client method ${method} has a reserved name, or an argument that is not a Standard Schema.`,
      );
  }
}

/** Its members are not read if it has them, since libraries make them on first use. A proxy may only have what is read. */
function isSchema(schema: unknown): boolean {
  const one = Object(unnamed(Object(schema))) as { readonly "~standard"?: unknown };
  return "~standard" in one || one["~standard"] !== undefined;
}

/** Transpiled code has no such kinds: then its calls are refused. */
function codeProblem({ kind, handle }: Declared): string | undefined {
  const [, isAsync, isGenerator] = CODE.exec(Object.prototype.toString.call(handle)) ?? [];
  if (kind === "stream")
    return isGenerator && !isAsync
      ? "a generator that is not async: `async function*`."
      : undefined;
  if (isGenerator) return "a generator: only a stream gives items.";
  return isAsync && kind !== "method"
    ? "async: an action is synchronous. Await in a method, then run the action."
    : undefined;
}

const CODE = /^\[object (Async)?(Generator)?Function\]$/;
