// The package as others get it: packed, unpacked into a project of its own, compiled there, served by the real
// `wrangler dev`, and called by its own client.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OF_GRPC } from "../../src/cli/missing-packages.ts";
import { startEndpoint } from "../support/endpoint.ts";
import { install, type Installed } from "../support/installed.ts";

const HUB = `
import { hub, method, signedIn, streamOf } from "dormouse-hubs/hub";
import * as z from "zod";

export interface GreetingClient {
  greeted(from: string, text: string): void;
}

export const GreetingHub = hub<GreetingClient>("greetings", {
  rooms: { group: { enter: signedIn } },
}).methods({
  greet: method([z.string().max(200)], async ({ clients, room, user }, text) => {
    await clients.group(room.name).greeted(user.id, text);
    return text.length;
  }),
  sum: method([streamOf(z.number())], async (_context, numbers) => {
    let sum = 0;
    for await (const number of numbers) sum += number;
    return sum;
  }),
  motto: method([], ({ env, waitUntil }) => {
    waitUntil(Promise.resolve());
    // @ts-expect-error a binding that the worker does not have
    void env.MISSING;
    return env.MOTTO.toUpperCase();
  }),
});

export type GreetingHub = typeof GreetingHub;
`;

/** As wrangler types writes it. */
const ENV = `
interface __BaseEnv_Env {
  MOTTO: "be kind";
}
declare namespace Cloudflare {
  interface GlobalProps {
    mainModule: typeof import("./worker.ts");
  }
  interface Env extends __BaseEnv_Env {}
}
interface Env extends __BaseEnv_Env {}
`;

/** The same for pages and tests, which compile no worker. */
const ENV_ALONE = `
declare namespace Cloudflare {
  interface Env {
    MOTTO: "be kind";
  }
}
`;

const WORKER = `
import { serve } from "dormouse-hubs/server";
import { GreetingHub } from "./greetings.ts";

const { Room, Relay, Account, endpoint } = serve([GreetingHub]);
export { Room, Relay, Account };
export default endpoint;
`;

const WRANGLER = `
name = "greetings"
main = "worker.ts"
compatibility_date = "2026-10-01"
compatibility_flags = ["no_web_socket_compression", "enable_request_signal"]
vars = { MOTTO = "be kind" }

[exports.Room]
type = "durable-object"
storage = "sqlite"

[exports.Relay]
type = "durable-object"
storage = "sqlite"

[exports.Account]
type = "durable-object"
storage = "sqlite"

[[durable_objects.bindings]]
name = "ROOMS"
class_name = "Room"

[[durable_objects.bindings]]
name = "RELAYS"
class_name = "Relay"

[[durable_objects.bindings]]
name = "ACCOUNTS"
class_name = "Account"
`;

const DEV_VARS = `JWT_SECRET=${"s".repeat(32)}
JWT_ISSUER=me
JWT_AUDIENCE=greetings
`;

const CLIENT = `
import { connect, type HubError } from "dormouse-hubs/client";
import type { GreetingHub } from "./greetings.ts";

declare const process: { readonly argv: readonly string[] };
const [, , url = "", token = ""] = process.argv;
const heard: string[] = [];
const greetings = connect<GreetingHub>(url, {
  room: "group:lobby",
  token,
  handlers: { greeted: (from, text) => heard.push(from + ": " + text) },
});
async function* numbers() {
  yield* [1, 2, 3];
}
const length: number = await greetings.invoke.greet("hello");
const sum = await greetings.invoke.sum(numbers());
const motto: string = await greetings.invoke.motto();
// @ts-expect-error a greeting is a text
const refused = await greetings.invoke.greet(1).catch((error: HubError) => error.code);
// @ts-expect-error a method that the hub does not have
const unknown = await greetings.invoke.shout("hello").catch((error: HubError) => error.code);
greetings.close();
console.log(JSON.stringify({ heard, length, sum, motto, refused, unknown }));
`;

const REACT = `
import { hubAt, useHub, usePresence } from "dormouse-hubs/react";
import type { GreetingHub } from "./greetings.ts";

const Greetings = hubAt<GreetingHub>("/hubs/greetings", { token: "t" });

export function useGreetings(): readonly string[] {
  const greetings = useHub(Greetings, { room: "group:lobby", handlers: { greeted(from) { from satisfies string; } } });
  greetings.invoke.greet("hello") satisfies Promise<number>;
  // @ts-expect-error a method that the hub does not have
  greetings.send.shout("hello");
  // @ts-expect-error greetings are texts
  useHub(Greetings, { room: null, handlers: { greeted(from: number) {} } });
  // @ts-expect-error a kind of room that there is not
  useHub(Greetings, { room: "lobby" });
  return [...usePresence(greetings).members.keys()];
}
`;

const SERVICE = `
import { backend } from "dormouse-hubs/backend";
import type { GreetingHub } from "./greetings.ts";

const asked: { readonly url: string; readonly body: unknown }[] = [];
const { clients } = backend<GreetingHub>({
  url: "http://h.example/hubs/greetings",
  accessKey: "a key of a service with 32 bytes or more",
  backoff: { baseMs: 1 },
  fetcher: {
    async fetch(request) {
      const body: unknown = await request.json();
      return asked.push({ url: request.url, body }) > 1 ? Response.json({ epoch: "e", offset: 1 }) : new Response(null, { status: 503 });
    },
  },
}).with({ idempotencyKey: "k" });
await clients.group("lobby").greeted("service", "hello");
// @ts-expect-error the clients have no such method
clients.all.shouted satisfies unknown;
// @ts-expect-error a greeting is a text
const wrong = () => clients.all.greeted("service", 1);
console.log(JSON.stringify([asked, typeof wrong]));
`;

const TEST = `
import { calling, world } from "dormouse-hubs/testing";
import { GreetingHub } from "./greetings.ts";

const env = { MOTTO: "be kind" };
const { invoke, sent } = calling(GreetingHub, { user: { id: "bob" }, room: "group:lobby", env });
await invoke.greet("hello");
const greetings = world(GreetingHub, { env });
const alice = await greetings.connect({ user: "alice", room: "group:lobby" });
const bob = await greetings.connect({ user: "bob", room: "group:lobby" });
await bob.invoke.greet(await bob.invoke.motto());
const received = alice.received.map(({ args }) => args);
// @ts-expect-error a binding that the worker does not have
world(GreetingHub, { env: { MOTO: "" } });
console.log(JSON.stringify({ sent, received }));
`;

/** Strict, without a look away from our declarations, and with declarations of its own: types must have names. */
const tsconfig = (options: object, files: readonly string[]): string =>
  JSON.stringify({
    compilerOptions: {
      ...{ strict: true, skipLibCheck: false, declaration: true, noEmit: true, types: [] },
      ...{ exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
      ...{ target: "es2024", allowImportingTsExtensions: true, verbatimModuleSyntax: true },
      ...options,
    },
    files,
  });

const ESNEXT = ["es2024", "esnext.disposable", "esnext.asynciterable", "esnext.typedarrays"];
const CONFIGS = {
  "server.json": tsconfig(
    {
      module: "esnext",
      moduleResolution: "bundler",
      lib: ESNEXT,
      types: ["@cloudflare/workers-types"],
    },
    ["worker.ts", "service.ts", "env.d.ts"],
  ),
  "node.json": tsconfig({ module: "nodenext", lib: [...ESNEXT, "dom"] }, [
    "client.ts",
    "service.ts",
    "test.ts",
    "env-alone.d.ts",
  ]),
  "browser.json": tsconfig(
    { module: "esnext", moduleResolution: "bundler", lib: ["es2022", "dom", "dom.iterable"] },
    ["client.ts", "react.ts", "env-alone.d.ts"],
  ),
};

let project: Installed;
beforeAll(async () => {
  project = await install({
    ...CONFIGS,
    "package.json": JSON.stringify({ name: "greetings", type: "module" }),
    "wrangler.toml": WRANGLER,
    "greetings.ts": HUB,
    "env.d.ts": ENV,
    "env-alone.d.ts": ENV_ALONE,
    "worker.ts": WORKER,
    "client.ts": CLIENT,
    "react.ts": REACT,
    "service.ts": SERVICE,
    "test.ts": TEST,
  });
});
afterAll(() => project[Symbol.dispose]());

describe("the package, in a project of its own", () => {
  it.each(Object.keys(CONFIGS))("compiles by %s, and mistakes do not", async (config) => {
    expect(await project.tsc(config)).toBe("");
  });

  it("serves a hub under wrangler, which its own client calls from Node", async () => {
    await using endpoint = await startEndpoint({ folder: project.folder });
    const url = `${endpoint.url}/hubs/greetings`;
    const said = await project.node("client.ts", url, await endpoint.token("alice"));
    expect(JSON.parse(said)).toEqual({
      heard: ["alice: hello"],
      length: 5,
      sum: 6,
      motto: "BE KIND",
      refused: "invalid_arguments",
      unknown: "method_not_found",
    });
  });

  it("has a program that checks the worker, and makes a token for it", async () => {
    const program = "node_modules/dormouse-hubs/dist/cli/dormouse.js";
    const refused = await project.node(program, "check").catch((error: Error) => error.message);
    expect(refused).toMatch(/^\d\. JWT_ISSUER is missing\. In wrangler\.toml:$/m);
    writeFileSync(join(project.folder, ".dev.vars"), DEV_VARS);
    const checked = await project.node(program, "check");
    expect(checked).toMatch(/^wrangler\.toml: nothing is wrong\.\n\nOnly in this machine's files/);
    expect(checked).toContain(": JWT_SECRET, JWT_ISSUER, JWT_AUDIENCE.\n");
    expect(await project.node(program, "token", "alice")).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(await project.node(program, "dev", "--help")).toContain("Usage: dormouse dev");
  });

  it("is told by `dormouse check` what gRPC needs beside, where a worker serves it", async () => {
    const own = WORKER.replace("serve([GreetingHub])", "serve([GreetingHub], { grpc })");
    const worker = `import { grpc } from "dormouse-hubs/server/grpc";\n${own}`;
    writeFileSync(join(project.folder, "grpc.ts"), worker);
    writeFileSync(join(project.folder, "grpc.toml"), WRANGLER.replace("worker.ts", "grpc.ts"));
    const program = "node_modules/dormouse-hubs/dist/cli/dormouse.js";
    const refused = await project
      .node(program, "check", "-c", "grpc.toml")
      .catch((error: Error) => error.message);
    expect(refused).toContain(
      `serve(hubs, { grpc }) needs packages that are not installed: npm install ${OF_GRPC.join(" ")}`,
    );
  });

  it("speaks for a service in plain Node, and says it again with its key", async () => {
    const said = {
      url: "http://h.example/api/hubs/greetings/rooms/group%3Alobby/:publish",
      body: { target: "greeted", arguments: ["service", "hello"], idempotency_key: "k" },
    };
    expect(JSON.parse(await project.node("service.ts"))).toEqual([[said, said], "function"]);
  });

  it("tests a hub in plain Node, without the platform", async () => {
    expect(JSON.parse(await project.node("test.ts"))).toEqual({
      sent: [{ to: "group:lobby", method: "greeted", args: ["bob", "hello"] }],
      received: [["bob", "BE KIND"]],
    });
  });
});

describe("the client's size, minified and gzipped", () => {
  it.each([
    { name: "connect", without: ["partysocket", "partysocket/ws"], most: 9_050 },
    { name: "events", without: ["eventsource-parser"], most: 4_100 },
  ])("is below $most bytes for a page that has only $name", async ({ name, without, most }) => {
    const [own, all] = [await bytesOf(name, without), await bytesOf(name, [])];
    console.log(`${name}: ${own} bytes gzipped, and ${all} with ${without[0]}.`);
    expect(own).toBeLessThan(most);
    // Neither brings the other along, with what only the other needs.
    expect(all - own).toBeLessThan(5_000);
  });

  it("grows by less than 2,500 bytes where the page has the state of rooms", async () => {
    const [plain, stateful] = [await bytesOf("connect", []), await bytesOf("connect", [], "state")];
    console.log(`state: ${stateful - plain} bytes gzipped beside connect.`);
    expect(stateful - plain).toBeLessThan(2_500);
  });
});

/** A page's bundle of one export of `dormouse-hubs/client`, or of another entry. */
async function bytesOf(
  name: string,
  external: readonly string[],
  entry = "client",
): Promise<number> {
  const { outputFiles } = await build({
    stdin: {
      contents: `export { ${name} } from "dormouse-hubs/${entry}";`,
      resolveDir: project.folder,
    },
    external: [...external],
    ...{ bundle: true, minify: true, format: "esm", target: "es2022", write: false },
  });
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
}
