// Messages about wrong bindings of Durable Objects, and the lines that fix them.

import type { BindingKind } from "./facts.ts";
import type { BoundObject } from "./objects.ts";
import type { Problem } from "./problem.ts";

/** The problem that a binding is missing, or of another kind. */
export const unbound = (object: BoundObject, bound: BindingKind): Problem =>
  bindingProblem(
    object,
    bound === "nothing"
      ? `The binding ${object.binding} is missing.`
      : `The binding ${object.binding} is not a namespace of Durable Objects.`,
  );

/** The problem that two bindings have the same class. */
export const sharedClass = (twin: BoundObject, object: BoundObject): Problem =>
  bindingProblem(
    object,
    `The bindings ${twin.binding} and ${object.binding} name the same class; ${twin.binding} is for ${twin.made}, ${object.binding} for ${object.made}.`,
  );

const bindingProblem = ({ binding, made }: BoundObject, text: string): Problem => ({
  level: "error",
  text,
  fix: {
    where: "wrangler.toml",
    lines: `[[durable_objects.bindings]]\nname = "${binding}"\nclass_name = "${made}"`,
    json: `"durable_objects": { "bindings": [{ "name": "${binding}", "class_name": "${made}" }] }`,
  },
});
