// Rules about the classes of Durable Objects which only files show: whether they are exported, and their storage.

import type { ClassBinding, WorkerFiles } from "./facts.ts";
import { OBJECTS } from "./objects.ts";
import type { Fix, Problem } from "./problem.ts";

const error = (text: string, fix?: Fix): Problem => ({
  level: "error",
  text,
  ...(fix && { fix }),
});

/**
 * The main module must define its hubs without errors and export each class, and wrangler's configuration must declare
 * each class with storage in SQLite.
 */
export function exported(files: WorkerFiles): Problem[] {
  if (typeof files.mainExports === "string") return [error(files.mainExports)];
  if (files.hubProblem !== undefined) return [error(files.hubProblem)];
  const names = files.mainExports;
  return ownClasses(files).flatMap(({ name, class_name: className }) => [
    ...(names.includes(className) ? [] : [notExported(name, className)]),
    ...undeclared(files, className),
  ]);
}

/** The classes of this worker that Dormouse's bindings name. */
const ownClasses = ({ durable_objects: { bindings: all } }: WorkerFiles): ClassBinding[] =>
  all.filter(
    ({ name, script_name: script }) =>
      script === undefined && OBJECTS.some(({ binding }) => binding === name),
  );

function notExported(name: string, className: string): Problem {
  const made = OBJECTS.find(({ binding }) => binding === name)!.made;
  const lines =
    made === className
      ? `export { ${made} }; // of const { ${made}, … } = serve(…)`
      : `export { ${made} as ${className} }; // of const { ${made}, … } = serve(…)`;
  return error(`The class ${className} of the binding ${name} is not exported by main.`, {
    where: "the worker's main module",
    lines,
  });
}

/** The class must be in `[exports]`, or in `[[migrations]]` of older projects. */
function undeclared({ exports, migrations = [] }: WorkerFiles, className: string): Problem[] {
  const declared = exports?.[className];
  const isNew = migrations.some(({ new_classes: all = [] }) => all.includes(className));
  const isSqlite = migrations.some(
    ({ new_sqlite_classes: all = [], renamed_classes: renamed = [] }) =>
      all.includes(className) || renamed.some(({ to }) => to === className),
  );
  if (declared ? declared.storage === "sqlite" : isSqlite) return [];
  const text =
    declared || isNew
      ? `The class ${className} has no storage in SQLite.`
      : `The class ${className} is not declared as a Durable Object.`;
  const isOlder = !declared && !isNew && migrations.length > 0;
  return [error(text, isOlder ? migration(className) : declaration(className))];
}

/** For a file with migrations: wrangler refuses both in one file. */
const migration = (className: string): Fix => ({
  where: "wrangler.toml",
  lines: `[[migrations]]\ntag = "add-${className}"\nnew_sqlite_classes = ["${className}"]`,
  json: `"migrations": [{ "tag": "add-${className}", "new_sqlite_classes": ["${className}"] }]`,
});

const declaration = (className: string): Fix => ({
  where: "wrangler.toml",
  lines: `[exports.${className}]\ntype = "durable-object"\nstorage = "sqlite"`,
  json: `"exports": { "${className}": { "type": "durable-object", "storage": "sqlite" } }`,
});
