// `dormouse openrpc` and `dormouse types`, in a folder with a worker, and what `dormouse check` finds in its hubs.

import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { execFile } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../support/command.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const PROGRAM = `${PROJECT}src/cli/dormouse.ts`;

const WORKER = `
import { env } from "cloudflare:workers";
import * as z from "zod";
import * as v from "valibot";
import { action, clientMethods, hub, internal, method, named, returns, serve, stream, streamOf } from "${PROJECT}src/server.ts";
import page from "./page.html";
setInterval(() => {}, 1_000);
/** As libraries with Standard JSON Schema have it. */
const Level = { "~standard": { version: 1, vendor: "own", validate: (value) => ({ value }), jsonSchema: {
  input: ({ target }) => ({ $schema: target, enum: ["low", "high"] }),
  output: () => ({}),
} } };
const Tree = z.object({ name: z.string(), get children() { return z.array(Tree); } });
const ShopClient = clientMethods({
  sold: [named("item", z.string()), z.number().optional()],
  confirm: { args: [z.string()], returns: z.boolean() },
});
const Shop = hub("order-lines", { client: ShopClient }).presenceState(z.object({ cart: z.number() })).methods({
  buy: method([named("item", z.string()), named("count", z.int().optional())], () => {}),
  mark: method([named("class", Level), v.string()], () => {}),
  plant: method([Tree, z.tuple([z.literal(1), z.string().nullable()]), z.record(z.string(), z.number())], () => {}),
  upload: method([streamOf(z.object({ sku: z.string(), "a b": z.boolean().optional() }))], () => {}),
  total: returns(z.object({ cents: z.int() })).method([], () => ({ cents: 1 })),
  rates: returns(z.number()).stream([], async function* () {}),
  prices: stream([z.union([z.string(), z.bigint()])], async function* () {}),
});
const Lots = hub("lots")
  .state("group", { schema: z.object({ price: z.number() }), initial: { price: 0 } })
  .internal({ close: internal([], () => {}) })
  .actions({ bid: action([named("amount", z.number())], ({ state }, amount) => void (state.price = amount)) });
const { Room, Relay, Account, endpoint } = serve([Shop, Lots, hub("empty").methods({})]);
export { Room, Relay, Account };
export default endpoint;
`;

const TYPES = `// Written by \`dormouse types --typescript\`. Generate it again when a hub changes.

import type { RemoteHub } from "dormouse-hubs/client";

/** The hub \`order-lines\`. */
export type OrderLinesHub = RemoteHub<{
  methods: {
    buy(item: string, count?: number | undefined): unknown;
    mark(arg1: "low" | "high" | undefined, arg2: unknown): unknown;
    plant(arg1: { readonly name: string; readonly children: readonly unknown[] }, arg2: readonly [1, string | null], arg3: { readonly [name: string]: number }): unknown;
    upload(arg1: AsyncIterable<{ readonly sku: string; readonly "a b"?: boolean }>): unknown;
    total(): { readonly cents: number };
  };
  streams: {
    rates(): AsyncIterable<number>;
    prices(arg1: unknown): AsyncIterable<unknown>;
  };
  client: {
    sold(item: string, arg2?: number | undefined): void;
    confirm(arg1: string): boolean;
  };
  state: { readonly cart: number };
}>;
`;

const STATEFUL = `
/** The hub \`lots\`. */
export type LotsHub = RemoteHub<{
  actions: {
    bid(amount: number): unknown;
  };
  room: { kind: "group"; view: { readonly price: number } };
}>;
`;

let folder: string;
beforeEach(() => {
  // As folders of users are named, whose place an error still has.
  folder = mkdtempSync(join(tmpdir(), "dormouse commands (1) "));
  symlinkSync(`${PROJECT}node_modules`, join(folder, "node_modules"), "dir");
  writeFileSync(
    join(folder, "wrangler.toml"),
    readFileSync(`${PROJECT}wrangler.toml`, "utf8").replace("src/worker.ts", "worker.ts"),
  );
  writeFileSync(join(folder, "worker.ts"), WORKER);
  writeFileSync(join(folder, "page.html"), "<p>");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (name: string, ...args: string[]) => runCommand(folder, name, args);

/** Code that needs what the configuration says of its bundle, and of its environment. */
const CONFIGURED = `
import { env } from "cloudflare:workers";
import { hub, serve } from "${PROJECT}src/server.ts";
import named from "@names";
import notes from "./notes.md";
export const { Room, Relay, Account, endpoint } = serve([
  ...[STAGE, notes.trim(), env.JWT_ISSUER, named].map((name) => hub(name).methods({})),
  ...(env.SECRET ? [hub("secret").methods({})] : []),
]);
export default endpoint;
`;

const CONFIGURED_FILES = ["worker.ts", "notes.md", "named.ts", "tsconfig.worker.json"];

function configure(): void {
  const [top, ...rest] = readFileSync(join(folder, "wrangler.toml"), "utf8").split("\n[");
  const rules = '\n[[rules]]\ntype = "Text"\nglobs = ["**/*.md"]\n';
  const text = `${top}\ndefine = { STAGE = "'live'" }\ntsconfig = "tsconfig.worker.json"\n`;
  writeFileSync(join(folder, "wrangler.toml"), [text, ...rest].join("\n[") + rules);
  writeFileSync(join(folder, "worker.ts"), CONFIGURED);
  writeFileSync(join(folder, "notes.md"), "notes\n");
  writeFileSync(join(folder, "named.ts"), 'export default "named";');
  const paths = { "@names": ["./named.ts"] };
  writeFileSync(
    join(folder, "tsconfig.worker.json"),
    JSON.stringify({ compilerOptions: { paths } }),
  );
}

describe("a worker whose bundle needs its configuration", () => {
  it("has its hubs, and nothing is wrong with it", async () => {
    configure();
    const { stdout, stderr } = await run("types", "--typescript");
    expect(stderr).toBe("");
    expect(stdout.match(/\w+Hub(?= =)/g)).toEqual([
      "LiveHub",
      "NotesHub",
      "DormouseHub",
      "NamedHub",
    ]);
    expect((await run("check", "--secret", "JWT_SECRET")).stdout).toBe(
      "wrangler.toml: nothing is wrong.\n",
    );
  });
});

it.each([
  ["tsconfig", ""],
  ["an alias", '[alias]\n"@names" = "./named.ts"\n'],
])("follows the paths of a configuration in another folder, as of %s", async (_, alias) => {
  configure();
  if (alias !== "") writeFileSync(join(folder, "tsconfig.worker.json"), "{}");
  appendFileSync(join(folder, "wrangler.toml"), alias);
  mkdirSync(join(folder, "apps/api"), { recursive: true });
  for (const name of [...CONFIGURED_FILES, "wrangler.toml"])
    renameSync(join(folder, name), join(folder, "apps/api", name));
  const { stdout, stderr } = await run("types", "--typescript", "-c", "apps/api/wrangler.toml");
  expect([stderr, stdout.includes("NamedHub")]).toEqual(["", true]);
});

describe("dormouse openrpc", () => {
  it("prints a hub's document, from whatever library gives a JSON Schema", async () => {
    const { status, stdout, stderr } = await run("openrpc", "order-lines");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { info, methods } = JSON.parse(stdout);
    expect([info.title, methods[1].params]).toEqual([
      "order-lines",
      [
        {
          name: "class",
          required: false,
          schema: { $schema: "draft-2020-12", enum: ["low", "high"] },
        },
        { name: "arg2", required: true, schema: {} },
      ],
    ]);
  });

  it("writes a file for each, and asks which where there are several", async () => {
    expect(await run("openrpc")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("order-lines, lots, empty"),
    });
    expect((await run("openrpc", "none")).stderr).toContain(
      "There is no hub none. Hubs: order-lines, lots, empty.",
    );
    expect((await run("openrpc", "--out", "docs")).status).toBe(0);
    expect(readdirSync(join(folder, "docs"))).toEqual([
      "empty.openrpc.json",
      "lots.openrpc.json",
      "order-lines.openrpc.json",
    ]);
  });
});

describe("dormouse types --typescript", () => {
  it("writes the types of a worker's hubs", async () => {
    expect(await run("types", "--typescript", "order-lines")).toEqual({
      status: 0,
      stdout: TYPES,
      stderr: "",
    });
  });

  it("writes actions, and what clients see of rooms with state", async () => {
    const { stdout } = await run("types", "--typescript", "lots");
    expect(stdout.slice(stdout.indexOf("\n/** The hub"))).toBe(STATEFUL);
  });

  it("writes the same from a document, and from a hub that runs", async () => {
    writeFileSync(join(folder, "hub.json"), (await run("openrpc", "order-lines")).stdout);
    await run("types", "--typescript", "--from", "hub.json", "--out", "hub.ts");
    expect(readFileSync(join(folder, "hub.ts"), "utf8")).toBe(TYPES);
    const result = JSON.parse(readFileSync(join(folder, "hub.json"), "utf8"));
    const asked: unknown[] = [];
    const server = createServer(({ method, url, headers }, response) => {
      asked.push([method, url, headers.authorization]);
      response.end(JSON.stringify({ jsonrpc: "2.0", id: 1, result }));
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.on("listening", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hubs/order-lines`;
    const args = [PROGRAM, "types", "--typescript", "--from", url, "--token", "t"];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
    server.close();
    expect([stdout, asked]).toEqual([TYPES, [["POST", "/hubs/order-lines/rpc", "Bearer t"]]]);
  });

  it("needs a language and a hub that is there", async () => {
    expect(await run("types")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("--typescript"),
    });
    expect(await run("types", "--typescript", "none")).toMatchObject({ status: 2 });
  });
});

describe("dormouse types --csharp", () => {
  it("writes a worker's hubs as one file, in the namespace that is named", async () => {
    const { status, stdout } = await run("types", "--csharp", "--namespace", "Shop.Hubs");
    expect(status).toBe(0);
    expect(stdout).toContain("\nnamespace Shop.Hubs;\n");
    expect(stdout).toMatch(/class OrderLinesHub\(HubConnection connection\)[^]+class EmptyHub\(/);
  });

  it.each(["a b", "Shop.class", "Shop..Hubs"])("refuses the namespace %s", async (namespace) => {
    expect(await run("types", "--csharp", "--namespace", namespace)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`${namespace} is not a namespace.`),
    });
  });

  it("refuses two languages at once", async () => {
    expect(await run("types", "--csharp", "--typescript")).toMatchObject({ status: 2 });
  });

  it("refuses a document whose name is none of a hub", async () => {
    writeFileSync(
      join(folder, "bad.json"),
      JSON.stringify({ openrpc: "1.3.2", info: { title: "x */ y" }, methods: [] }),
    );
    expect((await run("types", "--csharp", "--from", "bad.json")).stderr).toContain(
      "is not an OpenRPC document",
    );
  });

  it("says of what is no document that it is none, and of a hub that it is not reached", async () => {
    expect(await run("types", "--csharp", "--from", "worker.ts")).toMatchObject({
      status: 1,
      stderr: "worker.ts is not an OpenRPC document.\n",
    });
    // Port 0 is none.
    expect((await run("types", "--csharp", "--from", "http://127.0.0.1:0/hubs/x")).stderr).toMatch(
      /^http:\/\/127\.0\.0\.1:0\/hubs\/x cannot be reached: ./,
    );
  });
});

describe("dormouse check", () => {
  it.each([
    ["a bad name", 'hub("Bad Name").methods({})', 'Hub "Bad Name": a name is lower case'],
    ["a name twice", 'hub("empty").methods({})', 'Two hubs have the same name: "empty".'],
    [
      "a number that is none",
      'hub("more", { limits: { callBurst: Number(undefined) } }).methods({})',
      'Hub "more": limits.callBurst is a number of 0 or more, and not NaN (number).',
    ],
  ])("finds a hub with %s, and where", async (_, definition, sentence) => {
    const text = WORKER.replace("serve([Shop", `serve([${definition}, Shop`);
    writeFileSync(join(folder, "worker.ts"), text);
    const { status, stdout } = await run("check", "--secret", "JWT_SECRET");
    expect(status).toBe(1);
    expect(stdout).toContain(
      `1. worker.ts:${text.split("\n").findIndex((line) => line.includes("serve([")) + 1}: ${sentence}`,
    );
  });

  it.each([
    [
      "a jurisdiction",
      '{ place: { jurisdiction: "europe" } }',
      'place.jurisdiction of serve() is "europe"',
    ],
    [
      "a hint of a function",
      '{ place: { locationHint: () => "mars" } }',
      'place.locationHint of serve() is "mars"',
    ],
    [
      "a jurisdiction that changes",
      '{ place: { jurisdiction: ((at) => () => (at++ % 2 ? "eu" : "us"))(0) } }',
      "place.jurisdiction of serve() returns different values",
    ],
    [
      "a path's hub",
      '{ paths: [{ kind: "json-rpc", path: "/rpc", hub: "none" }] }',
      'Path "/rpc": there is no hub "none".',
    ],
  ])("finds %s that serve refuses, and where", async (_, options, sentence) => {
    const text = WORKER.replace(".methods({})]);", `.methods({})], ${options});`);
    expect(text).toContain(options);
    writeFileSync(join(folder, "worker.ts"), text);
    const { status, stdout } = await run("check", "--secret", "JWT_SECRET");
    const line = text.split("\n").findIndex((one) => one.includes("serve([")) + 1;
    expect([status, stdout]).toEqual([
      1,
      expect.stringContaining(`1. worker.ts:${line}: ${sentence}`),
    ]);
  });

  it("does not blame a worker that only runs on the platform", async () => {
    writeFileSync(join(folder, "worker.ts"), `${WORKER}\nconst pair = new WebSocketPair();`);
    expect((await run("check", "--secret", "JWT_SECRET")).stdout).toBe(
      "wrangler.toml: nothing is wrong.\n",
    );
  });
});
