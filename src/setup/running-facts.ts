// The facts of a worker that runs, from its environment. Its exports and files are unknown to it.

import type { Bound, Facts } from "./facts.ts";
import { OBJECTS } from "./objects.ts";

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

/** Absent in workerd before 2025: then flags are not judged. */
const FLAGS = (
  globalThis as { Cloudflare?: { compatibilityFlags?: Readonly<Record<string, boolean>> } }
).Cloudflare?.compatibilityFlags;

/** A service binding seems to have every method, `getByName` among them: calls of it would go to the other worker. */
export function boundTo(value: unknown): Bound {
  if (value === undefined || value === null) return "nothing";
  const isNamespace =
    typeof (value as Partial<DurableObjectNamespace>).getByName === "function" &&
    (value as object).constructor.name !== "Fetcher";
  return isNamespace ? "namespace" : "another thing";
}

/** Ids of one name are equal in one namespace only. Tests bring namespaces without ids: those are not judged. */
function areOneClass(one: unknown, other: unknown): boolean {
  const [first, second] = [one, other] as DurableObjectNamespace[];
  if (first!.constructor.name !== "DurableObjectNamespace" || second === undefined) return false;
  return (
    second.constructor.name === "DurableObjectNamespace" &&
    first!.idFromName("").equals(second.idFromName(""))
  );
}
