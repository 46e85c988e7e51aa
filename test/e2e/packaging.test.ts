// The tarball: what is in it, what linters of packages say, and what a page gets that needs only the client.

import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OF_THE_SERVER } from "../../src/cli/missing-packages.ts";
import { install, packed, type Installed } from "../support/installed.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

const HUB = `
import type { RemoteHub } from "dormouse-hubs/client";
export type GreetingHub = RemoteHub<{
  methods: { greet(text: string): number };
  client: { greeted(from: string, text: string): void };
}>;
`;

const PAGE = `
import { connect, events, typed, type HubError } from "dormouse-hubs/client";
import { hubAt, useHub } from "dormouse-hubs/react";
import { backend } from "dormouse-hubs/backend";
import type { GreetingHub } from "./hub.ts";

const room = "group:lobby";
const greetings = connect<GreetingHub>("/hubs/greetings", { room, handlers: { greeted(from) { from satisfies string; } } });
greetings.invoke.greet("hello") satisfies Promise<number>;
const Greetings = hubAt<GreetingHub>("/hubs/greetings", { token: "t" });
export const useGreetings = () => useHub(Greetings, { room });
export const read = () => events<GreetingHub>("/hubs/greetings", { room });
export const codeOf = (error: HubError) => error.code;
export { backend, typed };
`;

const TSCONFIG = JSON.stringify({
  compilerOptions: {
    ...{ module: "esnext", moduleResolution: "bundler", lib: ["es2024", "dom", "dom.iterable"] },
    ...{ strict: true, skipLibCheck: false, noEmit: true, types: [], target: "es2024" },
    ...{ allowImportingTsExtensions: true, exactOptionalPropertyTypes: true },
  },
  files: ["page.ts"],
});

let page: Installed;
beforeAll(async () => {
  page = await install(
    {
      "package.json": JSON.stringify({ name: "page", type: "module" }),
      "tsconfig.json": TSCONFIG,
      "hub.ts": HUB,
      "page.ts": PAGE,
      "wrangler.toml": 'name = "page"\nmain = "page.ts"\n',
    },
    "page",
  );
});
afterAll(() => page[Symbol.dispose]());

const root = () => join(page.folder, "node_modules/dormouse-hubs");
const files = () => readdirSync(root(), { recursive: true, encoding: "utf8" });
const text = (file: string): string => readFileSync(join(root(), file), "utf8");

describe("the packed files", () => {
  it("have no Markdown page with a link to what is not packed", () => {
    const linked = files()
      .filter((file) => file.endsWith(".md"))
      .flatMap((file) =>
        [...text(file).matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)].map(([, to]) =>
          join(dirname(file), to!),
        ),
      );
    expect(linked).toContain("docs/worker.md");
    expect(linked.filter((file) => !existsSync(join(root(), file)))).toEqual([]);
  });

  it("have a source for each map of code and of declarations", () => {
    const sources = files()
      .filter((file) => file.endsWith(".map"))
      .flatMap((file) =>
        (JSON.parse(text(file)) as { sources: string[] }).sources.map((source) =>
          join(dirname(file), source),
        ),
      );
    expect(sources).toContain("src/client/connect.ts");
    expect(sources.filter((file) => !existsSync(join(root(), file)))).toEqual([]);
  });

  it("have declarations that TypeScript reads from 5.4 on, where typed arrays are not generic", () => {
    const declarations = files().filter((file) => file.endsWith(".d.ts"));
    expect(declarations).toContain("dist/hub.d.ts");
    const newer = declarations.filter((file) => /\b\w+\d(Clamped)?Array</.test(text(file)));
    expect(newer).toEqual([]);
  });

  it("have nothing that publint warns of", async () => {
    const program = `${PROJECT}node_modules/publint/src/cli.js`;
    expect(await page.node(program, "run", await packed(), "--strict")).toContain("All good!");
  });

  it("have types that every bundler and Node resolve, as an ES module", async () => {
    const program = `${PROJECT}node_modules/@arethetypeswrong/cli/dist/index.js`;
    const args = [await packed(), "--profile", "esm-only", "--format", "ascii", "--no-emoji"];
    // It ends with 1 where a problem counts; each entry is listed.
    const said = await page.node(program, ...args);
    const entries = [
      "backend",
      "client",
      "grpc",
      "hub",
      "react",
      "server",
      "server/grpc",
      "state",
      "svelte",
      "testing",
      "vue",
    ];
    for (const entry of entries)
      expect(said).toContain(
        `"dormouse-hubs/${entry}"\n\nnode16 (from ESM): OK (ESM)\nbundler: OK`,
      );
  });
});

describe("a page that installed the package alone", () => {
  it("compiles the client, the hooks and the back end's client, with every declaration checked", async () => {
    for (const name of OF_THE_SERVER)
      expect(existsSync(join(page.folder, "node_modules", name))).toBe(false);
    expect(await page.tsc("tsconfig.json")).toBe("");
  });

  it("is told by `dormouse dev` what a server needs beside", async () => {
    const program = "node_modules/dormouse-hubs/dist/cli/dormouse.js";
    const refused = await page.node(program, "dev").catch((error: Error) => error.message);
    expect(refused).toContain(
      `The server needs packages that are not installed: npm install ${OF_THE_SERVER.join(" ")}`,
    );
  });

  it("has the admin page, whole, by `dormouse admin`", async () => {
    mkdirSync(join(page.folder, "files"));
    const program = "node_modules/dormouse-hubs/dist/cli/dormouse.js";
    expect(await page.node(program, "admin", "files")).toContain("The admin page is in");
    const copied = readdirSync(join(page.folder, "files/admin"));
    expect(copied.toSorted()).toEqual(["admin.css", "admin.js", "icon.svg", "index.html"]);
    const html = readFileSync(join(page.folder, "files/admin/index.html"), "utf8");
    const named = [...html.matchAll(/(?:href|src)="([^"#]+)"/g)].map(([, file]) => file!);
    expect(named.filter((file) => !copied.includes(file))).toEqual([]);
  });

  it("could install these, since they are optional peers", () => {
    const { peerDependencies, peerDependenciesMeta } = JSON.parse(text("package.json"));
    const optional = Object.keys(peerDependencies).filter(
      (name) => peerDependenciesMeta[name]?.optional,
    );
    expect(optional).toEqual(expect.arrayContaining([...OF_THE_SERVER]));
  });
});
