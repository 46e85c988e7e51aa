// A library of somebody else's with hubs in it, which emits declarations of its own: each type that the compiler infers
// from our functions must have a name that the package exports (TS2742, TS2883, TS4023).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { install, type Installed } from "../support/installed.ts";

const MEMBERS = `
import { action, authorize, clientMethods, HubError, internal, method, named, returns, role, stream, streamOf } from "dormouse-hubs/hub";
import * as z from "zod";

export const Client = clientMethods({
  said: [named("user", z.string()), z.date()],
  confirm: { args: [z.string()], returns: z.boolean() },
});
export const admins = authorize(role("Admin"));
export const numbers = returns(z.number());
export const ping = method([], () => "pong");
export const upload = method([streamOf(z.number())], async (_context, items) => {
  for await (const item of items) item.toFixed();
});
export const ticks = stream([], async function* () {
  yield 1;
});
export const add = action([z.number()], (_context, n) => n);
export const tick = internal([], () => {});
export const refusal = new HubError("sold_out", "No tea is left.");
`;

const HUBS = `
import { feed, hub, jsonRpc, method } from "dormouse-hubs/hub";
import { hubContext, serve, type EndpointEnv } from "dormouse-hubs/server";
import * as z from "zod";
import { action, internal } from "dormouse-hubs/hub";
import { add, admins, Client, numbers, ping, tick, ticks, upload } from "./members.ts";

export const builder = hub("chat", { client: Client });
export interface Branch {
  readonly at: Date;
  readonly branches: readonly (Branch | undefined)[];
}
const root: Branch = { at: new Date(0), branches: [] };
export const filtered = builder.use({ invoke: (_call, next) => next() });
export const Chat = filtered.presenceState(z.object({ typing: z.boolean() })).methods({
  ...{ ping, ticks, upload },
  say: admins.method([z.string()], ({ clients }, text) => clients.all.said(text, new Date())),
  one: numbers.method([], () => 1),
  find: method([z.string()], (_context, name) => (name === "" ? undefined : root)),
});
export const rooms = hub<{ rang(n: number): void }>("lots").state("group", {
  schema: z.object({ n: z.number() }),
  initial: { n: 1 },
});
export const internals = rooms.internal({ tick, close: internal([z.string()], ({ state }, text) => void (state.n = text.length)) });
export const actions = internals.actions({ add, bid: action([z.number()], ({ state }, by) => (state.n += by)) });
export const Lots = actions.methods({ ping, bid: method([z.string()], ({ group }, name) => group(name).run.bid(1)) });
export const paths = [jsonRpc("/rpc", Chat), feed("/said/:id", Chat, { room: "group:a", events: { said: "said" } })];
export const served = serve([Chat, Lots], { paths });
export const lotsOf = (env: EndpointEnv) => hubContext(env, Lots);
`;

const CLIENTS = `
import { backend } from "dormouse-hubs/backend";
import { connect, events, roomOf, typed } from "dormouse-hubs/client";
import { hubAt, useConnection, useHistory, useHub, usePresence, useRoomState, useRun } from "dormouse-hubs/react";
import { connect as connectState, stateOf } from "dormouse-hubs/state";
import { historyStore, presenceStore, roomStore, stateStore } from "dormouse-hubs/svelte";
import { calling, callingRoom, world } from "dormouse-hubs/testing";
import { Chat, Lots } from "./hubs.ts";

const at = { room: "group:a" } as const;
export const chat = connect<typeof Chat>("/hubs/chat", at);
export const { invoke, send, stream, presence, state, lastError } = chat;
export const { find } = invoke;
export const history = () => chat.history();
export const whole = connect<typeof Chat>("/hubs/chat", {});
export const view = roomOf(whole, "group:a");
export const read = () => events<typeof Chat>("/hubs/chat", at);
export const signalR = typed<typeof Chat>(undefined!);
export const lots = connectState<typeof Lots>("/hubs/lots", at);
export const { run } = lots.room;
export const other = stateOf<typeof Lots>(lots, "group:a");
export const service = backend<typeof Lots>({ url: "https://h.example/hubs/lots", accessKey: "key" });
export const vase = service.group("vase");
export const { clients } = service;
export const asking = backend<typeof Chat>({ url: "https://h.example/hubs/chat", accessKey: "key" }).clients;
export const tests = () => [calling(Chat), callingRoom(Lots), world(Chat)] as const;
export const Rooms = hubAt<typeof Lots>("/hubs/lots", {});
export function useRoom() {
  const room = useHub(Rooms, at);
  const values = [usePresence(room), useHistory(room), useConnection(room)] as const;
  return [room, values, useRoomState(Rooms, "group:a"), useRun(Rooms, "group:a")] as const;
}
export const stores = () =>
  [roomStore, presenceStore, historyStore].map((store) => store(Rooms, "group:a"));
export const store = stateStore(Rooms, "group:a", ({ n }) => n);
`;

/** The compiled library, used: its types are those of its source. */
const USE = `
import { connect } from "dormouse-hubs/client";
import type { Chat } from "./out/hubs.js";
import type { find, run } from "./out/clients.js";

const chat = connect<typeof Chat>("/hubs/chat", { room: "group:a", handlers: { confirm: () => true } });
chat.invoke.say("hello") satisfies Promise<void>;
export const bid = (lot: typeof run): Promise<number> => lot.bid(1);
export const dates = async (read: typeof find): Promise<string[]> =>
  (await read("a"))?.branches.map((branch) => branch?.at ?? "") ?? [];
// @ts-expect-error a text is expected
chat.invoke.say(1);
`;

const tsconfig = (options: object, files: readonly string[]): string =>
  JSON.stringify({
    compilerOptions: {
      ...{ strict: true, target: "es2024", lib: ["es2024"], verbatimModuleSyntax: true },
      ...{ types: ["@cloudflare/workers-types"], rewriteRelativeImportExtensions: true },
      ...{ exactOptionalPropertyTypes: true, skipLibCheck: true },
      ...options,
    },
    files,
  });

const BUNDLER = { module: "esnext", moduleResolution: "bundler" };
const emitted = { declaration: true, emitDeclarationOnly: true, rootDir: ".", outDir: "out" };
let library: Installed;
beforeAll(async () => {
  library = await install({
    "package.json": JSON.stringify({ name: "library", type: "module" }),
    "bundler.json": tsconfig({ ...emitted, ...BUNDLER }, ["clients.ts"]),
    "node.json": tsconfig({ ...emitted, module: "nodenext" }, ["clients.ts"]),
    "use.json": tsconfig({ ...BUNDLER, noEmit: true }, ["use.ts"]),
    "members.ts": MEMBERS,
    "hubs.ts": HUBS,
    "clients.ts": CLIENTS,
    "use.ts": USE,
  });
});
afterAll(() => library[Symbol.dispose]());

it.each(["bundler.json", "node.json"])("has declarations, by %s", async (config) => {
  expect(await library.tsc(config)).toBe("");
  const declared = readFileSync(join(library.folder, "out/clients.d.ts"), "utf8");
  expect(declared).not.toContain("dormouse-hubs/dist");
  expect(await library.tsc("use.json")).toBe("");
});
