// Code of Markdown pages as files that a compiler reads. What stands behind the language says how a block is meant:
// `continues` (the block before it goes on), `methods` (further methods of the page's first hub).

import { posix } from "node:path";

/** One file: a block, and those that continue it. */
export interface Source {
  /** From the folder of all pages. A block that begins with `// name.ts` has that name in its page's folder. */
  readonly path: string;
  readonly text: string;
}

const FENCE = /^```(?<kind>tsx?)(?: (?<how>continues|methods))?\n(?<code>[^]*?)^```$/gm;
const NAME = /^\/\/ (?<name>[\w./-]+\.tsx?)(?::|\n| )/;

/** The blocks of TypeScript in one page; `folder` is the page's. */
export function sourcesIn(folder: string, page: string): Source[] {
  const sources: { path: string; text: string }[] = [];
  for (const { groups, index } of page.matchAll(FENCE)) {
    const { kind = "", how, code = "" } = groups!;
    const text = code.replaceAll(/\/\* … \*\/|…/g, "/* … */");
    const line = page.slice(0, index).split("\n").length;
    const path = posix.join(folder, NAME.exec(code)?.groups?.["name"] ?? `line-${line}.${kind}`);
    if (how === undefined) sources.push({ path, text: text.startsWith(".") ? HUB + text : text });
    else extend(how === "methods" ? sources.find(isHub) : sources.at(-1), { kind, how, text });
  }
  return sources.map(({ path, text }) => ({ path, text: `${text}\nexport {};\n` }));
}

/** A block that begins with `.methods` goes on with a hub whose rooms have a state. */
const HUB = 'import { payments } from "./payments.ts";\nexport const Continued = payments\n';

const isHub = ({ text }: Source): boolean => text.includes(".methods({");

function extend(
  source: { path: string; text: string } | undefined,
  { kind, how, text }: { readonly kind: string; readonly how: string; readonly text: string },
): void {
  if (!source) throw new Error(`There is nothing that this block goes on with:\n${text}`);
  if (kind === "tsx") source.path = source.path.replace(/\.ts$/, ".tsx");
  if (how === "continues") source.text += `\n${text}`;
  else source.text = source.text.replace(/^\}\);$/m, `${text}});`);
}

/** Types of Node and of the engine do not go together: a block is of one of them. */
export const isOfNode = ({ text }: Source): boolean =>
  /from "(?:node:|ws"|@connectrpc\/connect-node)|\bprocess\./.test(text);

const ENTRIES: Readonly<Record<string, string>> = {
  ...{ hub: "hub", server: "server", grpc: "protocols/proto/dormouse/v1/hub_pb" },
  "server/grpc": "grpc-server",
  ...{ backend: "client/backend/index", testing: "dispatch/testing/testing" },
  ...{ client: "client/index", state: "state/index", react: "react/index" },
  ...{ vue: "vue/index", svelte: "svelte/index" },
};

/** Options under which pages compile: against the sources, as a strict application. */
export const tsconfigFor = (project: string, folders: readonly string[]) => ({
  extends: `${project}tsconfig.json`,
  compilerOptions: {
    ...{ jsx: "react-jsx", moduleDetection: "force" },
    lib: ["es2024", "esnext.disposable", "esnext.asynciterable", "esnext.typedarrays"],
    // A relative import of a page is one of its own files, or of the sources.
    rootDirs: [...folders, `${project}src`, project],
    paths: {
      ...Object.fromEntries(
        Object.entries(ENTRIES).map(([name, file]) => [
          `dormouse-hubs/${name}`,
          [`${project}src/${file}.ts`],
        ]),
      ),
      "project/*": [`${project}*`],
    },
  },
});
