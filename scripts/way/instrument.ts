// Bundles a worker whose own sources record every named function that is entered.

import { readFile } from "node:fs/promises";
import { relative, sep } from "node:path";
import { build, type Plugin } from "esbuild";
import { parseSync, Visitor, type ESTree } from "rolldown/utils";
import { WORKER_BUNDLE } from "../worker-bundle.ts";

interface Bundle {
  readonly entry: string;
  /** Files below it are instrumented, unless they are generated. */
  readonly sources: string;
  readonly outfile: string;
}

const RECORDER = "const wayTrace = [];\nconst enterWay = (entry) => wayTrace.push(entry);";

/** As wrangler bundles it. Entries collect in the array `wayTrace`, which every module of the bundle sees. */
export async function bundleInstrumented({ entry, sources, outfile }: Bundle): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    ...WORKER_BUNDLE,
    banner: { js: RECORDER },
    plugins: [instrumentation(sources)],
  });
}

const instrumentation = (sources: string): Plugin => ({
  name: "instrumentation",
  setup({ onLoad }) {
    onLoad({ filter: /\.tsx?$/ }, async ({ path }) => {
      const file = relative(sources, path).replaceAll(sep, "/");
      if (file.startsWith("..")) return undefined;
      const text = await readFile(path, "utf8");
      const contents = /^\/\/ @generated/m.test(text) ? text : instrument(text, file);
      return { contents, loader: path.endsWith("x") ? "tsx" : "ts" };
    });
  },
});

type Func = ESTree.Function | ESTree.ArrowFunctionExpression;

interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** The module with a call of `enterWay` at the beginning of every function that has a name, `file:function`. */
function instrument(text: string, file: string): string {
  const insertions = namedFunctions(text, file).flatMap(([name, func]) =>
    insertionsInto(func, `enterWay(${JSON.stringify(`${file}:${name}`)})`),
  );
  // From back to front, so that offsets stay right; at one offset the order does not matter: all are brackets alike.
  return insertions
    .toSorted((a, b) => b.at - a.at)
    .reduce((done, { at, text: added }) => done.slice(0, at) + added + done.slice(at), text);
}

function insertionsInto({ body }: Func, call: string): Insertion[] {
  if (!body) return [];
  if (body.type === "BlockStatement") return [{ at: body.start + 1, text: `${call};` }];
  return [
    { at: body.start, text: `(${call}, ` },
    { at: body.end, text: ")" },
  ];
}

/** Declarations, members of classes and of objects, and functions that are the value of a variable or of a default. */
function namedFunctions(text: string, file: string): [name: string, func: Func][] {
  const { program, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const found: [string, Func][] = [];
  const classes: string[] = [];
  const add = (name: string, value: ESTree.Node | null) => {
    const isFunction =
      value?.type === "ArrowFunctionExpression" || value?.type === "FunctionExpression";
    if (isFunction) found.push([[...classes.slice(-1), name].join("."), value]);
  };
  const enter = ({ id }: ESTree.Class) => void classes.push(id?.name ?? "class");
  const leave = () => void classes.pop();
  const nameOf = (node: ESTree.Node) =>
    node.type === "Identifier" ? node.name : text.slice(node.start, node.end);
  new Visitor({
    ...{ ClassDeclaration: enter, ClassExpression: enter },
    ...{ "ClassDeclaration:exit": leave, "ClassExpression:exit": leave },
    FunctionDeclaration: (func) => void found.push([func.id?.name ?? "default", func]),
    VariableDeclarator: ({ id, init }) => add(nameOf(id), init),
    AssignmentPattern: ({ left, right }) => add(nameOf(left), right),
    Property: ({ key, value }) => add(nameOf(key), value),
    MethodDefinition: ({ key, value }) => add(nameOf(key), value),
    PropertyDefinition: ({ key, value }) => add(nameOf(key), value),
  }).visit(program);
  return found;
}
