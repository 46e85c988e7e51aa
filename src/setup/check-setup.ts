// Checks the configuration of a running worker at the first request of each isolate: the facts that its environment
// shows, without exports and files. And checks the class of an object when the object starts.

import { Refusal } from "../auth/auth-refusal.ts";
import { isDevelopment, isLoopback } from "../model/environment.ts";
import { HubError } from "../model/errors.ts";
import { logError, logWarning } from "../model/logger.ts";
import type { BindingKind, Facts } from "./facts.ts";
import { OBJECTS, type ObjectBinding } from "./objects.ts";
import { described, list, type Problem } from "./problem.ts";
import { problemsOf } from "./rules.ts";

/**
 * Returns if the worker is correctly configured. Otherwise throws `misconfigured`: in development its message has all
 * problems and the lines that fix them; in production those are only in the log. One line is logged for each
 * environment, that is for each isolate. `url` is the request's, absent for code of the same worker.
 */
export function checkSetup(env: object, url?: string): void {
  const problems = CHECKED.get(env) ?? check(env);
  if (problems.length === 0) return;
  const isLocal = url !== undefined && isLoopback(new URL(url).hostname);
  const isShown = isLocal || isDevelopment(env);
  throw new Refusal("misconfigured", isShown ? { message: messageOf(problems), action: FIX } : {});
}

const FIX = "Fix the listed problems. `npx dormouse check` finds them before a deploy.";

const texts = (problems: readonly Problem[]): string[] =>
  problems.map((problem) => described(problem));

/** The errors of each environment. */
const CHECKED = new WeakMap<object, readonly Problem[]>();

function check(env: object): readonly Problem[] {
  const all = problemsOf(runningFacts(env));
  const of = (wanted: Problem["level"]) => all.filter(({ level }) => level === wanted);
  const [errors, advice] = [of("error"), of("advice")];
  if (errors.length > 0) logError("misconfigured", { problems: texts(errors) });
  if (advice.length > 0) logWarning("configuration_advice", { problems: texts(advice) });
  CHECKED.set(env, errors);
  return errors;
}

const messageOf = (problems: readonly Problem[]): string =>
  `The worker is misconfigured. Problems: ${problems.length}.\n\n${list(problems)}\n`;

/** The binding of a class of `serve`, and where its objects are. */
interface ServedClass {
  readonly binding: ObjectBinding;
  /** Absent: objects are in no jurisdiction. */
  readonly place: Placement | undefined;
}

interface Placement {
  /** Whether the object is the one that is found by its name. */
  isAt(id: DurableObjectId, env: object, namespace: DurableObjectNamespace): boolean;
}

const UNPLACED: Placement = {
  isAt: (id, _env, namespace) => namespace.idFromName(id.name!).equals(id),
};

/**
 * Called when an object starts. Throws `misconfigured` if the object belongs to another binding, or is in another
 * jurisdiction than `place` selects. Only the object can notice: bindings that were exchanged are valid namespaces, and
 * objects from before a change of `place` are still started by their alarms.
 */
export function checkClass(id: DurableObjectId, env: object, served: ServedClass): void {
  const namespace = (env as Readonly<Record<string, unknown>>)[served.binding];
  if (id.name === undefined || boundTo(namespace) !== "namespace") return;
  const { place = UNPLACED } = served;
  if (place.isAt(id, env, namespace as DurableObjectNamespace)) return;
  const problem = classProblem(id, served, namespace as DurableObjectNamespace);
  logError("misconfigured", { problems: [problem] });
  throw new HubError(
    "misconfigured",
    isDevelopment(env) ? problem : "The server is misconfigured.",
  );
}

function classProblem(
  id: DurableObjectId,
  { binding }: ServedClass,
  namespace: DurableObjectNamespace,
): string {
  const { made } = OBJECTS.find((one) => one.binding === binding)!;
  const own = id.jurisdiction as DurableObjectJurisdiction | undefined;
  const within = own === undefined ? namespace : namespace.jurisdiction(own);
  return within.idFromName(id.name!).equals(id)
    ? `The object ${id.name} of ${binding} is in ${own === undefined ? "no jurisdiction" : `the jurisdiction ${own}`}, and place of serve() gives another one. Objects never move: restore the earlier place, or erase this object by it first.`
    : `Another binding than ${binding} has the class of serve()'s ${made}. In wrangler.toml, class_name of ${binding} is the name under which main exports ${made}.`;
}

export function runningFacts(env: object): Facts {
  const values = env as Readonly<Record<string, unknown>>;
  const names: ReadonlySet<string> = new Set(OBJECTS.map(({ binding }) => binding));
  return {
    variables: Object.fromEntries(Object.entries(values).filter(([name]) => !names.has(name))),
    bound: (binding) => boundTo(values[binding]),
    areSame: (one, other) => areOneClass(values[one], values[other]),
    isOn: (flag) => FLAGS?.[flag] ?? true,
  };
}

/** Absent in workerd before 2025: then flags are not checked. */
const FLAGS = (
  globalThis as { Cloudflare?: { compatibilityFlags?: Readonly<Record<string, boolean>> } }
).Cloudflare?.compatibilityFlags;

/** The kind of a binding. A service binding must be excluded by name: it seems to have every method. */
function boundTo(value: unknown): BindingKind {
  if (value === undefined || value === null) return "nothing";
  const isNamespace =
    typeof (value as Partial<DurableObjectNamespace>).getByName === "function" &&
    (value as object).constructor.name !== "Fetcher";
  return isNamespace ? "namespace" : "another thing";
}

/** Ids of one name are equal only in one namespace. Namespaces of tests, which have no ids, are not checked. */
function areOneClass(one: unknown, other: unknown): boolean {
  const [first, second] = [one, other] as DurableObjectNamespace[];
  if (first!.constructor.name !== "DurableObjectNamespace" || second === undefined) return false;
  return (
    second.constructor.name === "DurableObjectNamespace" &&
    first!.idFromName("").equals(second.idFromName(""))
  );
}
