// Whether an object's class is the one that its binding names, which only an object can tell: bindings that were
// exchanged are namespaces all the same.

import { isDevelopment } from "../model/environment.ts";
import { HubError } from "../model/errors.ts";
import { logError } from "../model/logger.ts";
import { OBJECTS, type ObjectBinding } from "./objects.ts";
import { boundTo } from "./running-facts.ts";

/** Called when an object starts. Throws `misconfigured` in an object that another binding leads to. */
export function checkClass(id: DurableObjectId, env: object, binding: ObjectBinding): void {
  const namespace = (env as Readonly<Record<string, unknown>>)[binding];
  if (id.name === undefined || boundTo(namespace) !== "namespace") return;
  if ((namespace as DurableObjectNamespace).idFromName(id.name).equals(id)) return;
  const { made } = OBJECTS.find((one) => one.binding === binding)!;
  const problem = `Another binding than ${binding} has the class of serve()'s ${made}. In wrangler.toml, class_name of ${binding} is the name under which main exports ${made}.`;
  logError("misconfigured", { problems: [problem] });
  throw new HubError(
    "misconfigured",
    isDevelopment(env) ? problem : "The server is misconfigured.",
  );
}
