// The reference of the public entries, from their sources: a page for each export, by TypeDoc.

import "./typescript-6.ts";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Application } from "typedoc";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/** What `exports` of package.json offers, but for generated code: its name, its source, and what it is for. */
export const ENTRIES: Readonly<Record<string, readonly [source: string, purpose: string]>> = {
  hub: ["src/hub.ts", "writing hubs; loads no server"],
  server: ["src/server.ts", "serving them from a worker; has all of `hub`"],
  "server/grpc": ["src/grpc-server.ts", "serving gRPC beside, as an option of `serve`"],
  testing: ["src/dispatch/testing/testing.ts", "tests of hubs, in memory"],
  client: ["src/client/index.ts", "connecting from pages, workers, Node, Deno, Bun"],
  state: ["src/state/index.ts", "the same, with copies of rooms' states"],
  react: ["src/react/index.ts", "hooks for React; has all of `client`"],
  vue: ["src/vue/index.ts", "composables for Vue; has all of `client`"],
  svelte: ["src/svelte/index.ts", "stores for Svelte; has all of `client`"],
  backend: ["src/client/backend/index.ts", "publishing and control from a service"],
};

/** Classes that a worker only passes on: their members are between objects. */
const INTERNAL = new Set(["AccountObject", "RelayObject", "RoomObject"]);

/** The type of all codes, which TypeDoc writes out wherever an error may have any. */
const ALL_CODES = /HubError`\\<(?:`"[a-z_]+"`(?: \\\| )?){20,}\\>/g;

/** Writes `out/{entry}/…`, and `out/index.md` with the entries. */
export async function writeApiPages(out: string): Promise<void> {
  const typedoc = await import("typedoc");
  const app = await typedoc.Application.bootstrapWithPlugins(optionsFor(out));
  nameModules(app, typedoc.Converter.EVENT_RESOLVE_BEGIN);
  app.renderer.on(typedoc.PageEvent.END, (page) => {
    page.contents = (page.contents ?? "")
      .replaceAll(ALL_CODES, "HubError`\\<`ErrorCode`\\>")
      .replace(/ = `\w+\.\w+`$/m, "");
  });
  const project = await app.convert();
  if (!project) throw new Error("TypeDoc could not read the sources.");
  app.validate(project);
  if (app.logger.hasWarnings())
    throw new Error("An export, or a link of a comment, needs to be mended.");
  await app.generateOutputs(project);
  writeFileSync(`${out}/index.md`, INDEX);
}

const INDEX = `# API

The entries of the package \`dormouse-hubs\`, from their sources.

| import | for |
| --- | --- |
${Object.entries(ENTRIES)
  .map(([name, [, purpose]]) => `| [\`dormouse-hubs/${name}\`](${name}/index.md) | ${purpose} |\n`)
  .join("")}`;

function nameModules(app: Application, event: "resolveBegin"): void {
  app.converter.on(event, ({ project }) => {
    for (const module of project.children ?? []) {
      module.name = nameOf(module.name);
      const internal = module.children?.filter(({ name }) => INTERNAL.has(name)) ?? [];
      for (const one of internal) project.removeReflection(one);
    }
  });
}

/** TypeDoc names a module by its path: `src/hub`, and `src/client` for `src/client/index.ts`. */
function nameOf(path: string): string {
  const found = Object.entries(ENTRIES).find(
    ([, [source]]) => source.replace(/(?:\/index)?\.ts$/, "") === path,
  );
  if (!found) throw new Error(`${path} is no public entry.`);
  return found[0];
}

const optionsFor = (out: string): object => ({
  plugin: ["typedoc-plugin-markdown"],
  name: "API",
  entryPoints: Object.values(ENTRIES).map(([source]) => PROJECT + source),
  basePath: PROJECT,
  tsconfig: `${PROJECT}site/reference/tsconfig.json`,
  // The sources are checked by `npm run types`, with the compiler that they are written for.
  skipErrorChecking: true,
  outputs: [{ name: "markdown", path: out }],
  router: "member",
  readme: "none",
  entryFileName: "index",
  hidePageHeader: true,
  hideBreadcrumbs: true,
  disableSources: true,
  excludePrivate: true,
  excludeInternal: true,
  excludeExternals: true,
  githubPages: false,
  logLevel: "Warn",
  pageTitleTemplates: { module: "dormouse-hubs/{name}", member: "{name}" },
  // Types between exports and their parts are named, and have no page. Each export says what it is.
  validation: { notExported: false, invalidLink: true, notDocumented: true },
  // Its constructor has no place of its own for a comment.
  intentionallyNotDocumented: ["hub.HubError.__type"],
  requiredToBeDocumented: ["Class", "Interface", "TypeAlias", "Variable"],
});
