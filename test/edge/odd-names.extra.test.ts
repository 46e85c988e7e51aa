// One name through every door: all address the same room, or all refuse it with the same code.

import { exports } from "cloudflare:workers";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { backend } from "../../src/client/backend/index.ts";
import { roomAt, token, upgrade, Client } from "../rooms/client.ts";
import { connected, type SignalR } from "../rooms/relay/client.ts";
import { packed } from "../rooms/relay/packed.ts";
import { as, clientBy, failure, listen as subscribed, SERVICE } from "./grpc/client.ts";
import { publication } from "./grpc/values.ts";
import { ask, KEY, ORIGIN, refusal } from "./rest/service.ts";
import { listen } from "./sse/listener.ts";

const HUB = "parity";
/** Of the user alice, who publishes by the role of services. */
let access: string;
let json: SignalR;
let msgpack: Awaited<ReturnType<typeof packed>>;

beforeAll(async () => {
  access = await token("alice", SERVICE);
  [json, msgpack] = [await connected(HUB), await packed(HUB)];
});
afterAll(() => {
  json[Symbol.dispose]();
  msgpack[Symbol.dispose]();
});
beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

/** The epoch of the room that was reached, or the code of the refusal. Undefined: the door cannot say this name. */
type Outcome = string | undefined;
type Door = (name: string) => Outcome | Promise<Outcome>;

const epochOf = (position: string): string => position.split(":")[0]!;
const codeOf = async (response: Response): Promise<Outcome> => (await refusal(response))[1] ?? "?";
const encode = encodeURIComponent;

async function socketAt(path: string): Promise<Outcome> {
  const response = await upgrade(`${path}?access_token=${access}`);
  if (!response.webSocket) return codeOf(response);
  using client = new Client(response.webSocket);
  return epochOf((await client.next()).params.position);
}

/** The stream may have the room `group:base` as well. */
async function eventsAt(path: string): Promise<Outcome> {
  const { response, next, stop } = await listen(path);
  if (response.status !== 200) return response.headers.get("x-dormouse-error") ?? "?";
  const { data } = await next(
    ({ event, data: hello }) => event === "connected" && hello.room !== "group:base",
  );
  await stop();
  return epochOf(data.position);
}

interface Failure {
  readonly code: string;
}

interface Resumed {
  readonly position: string;
  readonly error?: Failure;
}

interface Called<R> {
  readonly result: R;
  readonly error?: { readonly data: Failure };
}

async function call<R = { position: string }>(method: string, params: unknown) {
  const response = await exports.default.fetch(`${ORIGIN}/hubs/${HUB}/rpc`, {
    method: "POST",
    headers: { authorization: `Bearer ${access}`, "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  return response.json<Called<R>>();
}

const positionFrom = async (method: string, params: object): Promise<Outcome> => {
  const { result, error } = await call(method, params);
  return error?.data.code ?? epochOf(result.position);
};

async function restAt(path: string, body: object): Promise<Outcome> {
  const response = await ask("POST", `/hubs/${HUB}${path}`, { body });
  return response.ok ? (await response.json<{ epoch: string }>()).epoch : codeOf(response);
}

/** Of `:broadcast`, or of `:batch`. */
interface Reply {
  readonly result?: { readonly epoch: string };
  readonly publish?: { readonly epoch: string };
  readonly error?: Failure;
}

async function firstOf(path: string, body: object): Promise<Outcome> {
  const response = await ask("POST", `/hubs/${HUB}${path}`, { body });
  const { responses, replies } = await response.json<{ [list: string]: Reply[] }>();
  const { result, publish, error } = (responses ?? replies)![0]!;
  return error?.code ?? (result ?? publish)!.epoch;
}

/** A door that says nothing of where it went: the room of the group has one message more. Presence has offsets, too. */
async function counted(name: string, send: () => Promise<Outcome>): Promise<Outcome> {
  const room = roomAt(`${HUB}/group:${name.normalize("NFC")}`);
  const { position: since } = await room.info();
  const refused = await send();
  const { entries } = await room.history({ since });
  return refused ?? (entries.length === 1 ? since.epoch : `${entries.length} messages`);
}

const isAddress = (name: string): boolean => !REFUSED.includes(name);
const unlessRefused = (name: string, send: () => Promise<Outcome>): Promise<Outcome> =>
  isAddress(name) ? counted(name, send) : send();

/** SignalR shows the sentence of the error. */
const sentenceOf = (error: unknown): Outcome =>
  typeof error === "string" ? (/A name has 1–128/.test(error) ? "invalid_name" : error) : undefined;

const said = { target: "said", arguments: ["x"] };
const service = backend({
  url: `${ORIGIN}/hubs/${HUB}`,
  accessKey: KEY,
  fetcher: exports.default,
});

const DOORS: Readonly<Record<string, Door>> = {
  "a room's socket": (name) => socketAt(`/hubs/${HUB}/groups/${encode(name)}`),
  "the same with a slash": (name) => socketAt(`/hubs/${HUB}/groups/${encode(name)}/`),
  "partysocket's": (name) => socketAt(`/parties/${HUB}/${encode(`group:${name}`)}`),
  "a room's events": (name) => eventsAt(`/hubs/${HUB}/groups/${encode(name)}`),
  "?room=": (name) => eventsAt(`/hubs/${HUB}/groups/base?room=${encode(`group:${name}`)}`),
  "?rooms=": (name) =>
    name.includes(",")
      ? undefined
      : eventsAt(`/hubs/${HUB}/groups/base?rooms=${encode(`group:${name}`)}`),
  "a feed": (name) => eventsAt(`/parity/group/${encode(name)}`),
  "$/join": (name) => positionFrom("$/join", { room: `group:${name}` }),
  "$/history": (name) => positionFrom("$/history", { room: `group:${name}` }),
  "$/publish": (name) => positionFrom("$/publish", { room: `group:${name}`, method: "said" }),
  async "$/resume"(name) {
    const rooms = { [`group:${name}`]: "none:0" };
    const { result } = await call<Record<string, Resumed>>("$/resume", { rooms });
    const { error, position } = result[`group:${name}`]!;
    return error?.code ?? epochOf(position);
  },
  "a call by POST": (name) =>
    unlessRefused(name, async () => (await call("say", [name, "x"])).error?.data.code),
  "SignalR in JSON": (name) =>
    unlessRefused(name, async () => sentenceOf((await json.call("say", name, "x")).error)),
  "SignalR in MessagePack": (name) =>
    unlessRefused(name, async () => {
      const answer = await msgpack.call("say", name, "x");
      return answer === "done" ? undefined : sentenceOf(answer);
    }),
  "REST, a room": (name) => restAt(`/rooms/${encode(`group:${name}`)}/:publish`, said),
  "REST, a group": (name) =>
    unlessRefused(name, async () => {
      const path = `/hubs/${HUB}/groups/${encode(name)}/:send`;
      const response = await ask("POST", path, { body: said });
      return response.status === 202 ? undefined : codeOf(response);
    }),
  ":broadcast": (name) => firstOf("/:broadcast", { rooms: [`group:${name}`], ...said }),
  ":batch": (name) =>
    firstOf("/:batch", { commands: [{ publish: { room: `group:${name}`, ...said } }] }),
  async "a back end's client"(name) {
    try {
      return epochOf(await service.publish(`group:${name}`, "said" as never, [] as never));
    } catch (error) {
      return (error as { code: string }).code;
    }
  },
  async "gRPC, Publish"(name) {
    const published = clientBy().publish(
      publication(`group:${name}`, "x", HUB),
      await as("alice", SERVICE),
    );
    try {
      return epochOf((await published).position);
    } catch {
      return (await failure(published))[1];
    }
  },
  async "gRPC, Subscribe"(name) {
    await using stream = await subscribed({ hub: HUB, topics: [{ topic: `group:${name}` }] });
    const kind = stream.next();
    try {
      return epochOf(((await kind).value as { position: string }).position);
    } catch {
      return (await failure(kind))[1];
    }
  },
};

const ADDRESSES: readonly string[] = [
  "a/b+c d,e;f=g?h#i\\j%2F",
  "%2e%2e",
  "group:a",
  "e\u0301",
  "\ufeff\u200b\u202e🐭",
  "__proto__",
  "1e3",
  " a ",
  "x".repeat(128),
];
const REFUSED: readonly string[] = ["x".repeat(129), "🐭".repeat(65), "a\0", "\u2028", "\u0085"];

it.each(ADDRESSES)("%j is one room", async (name) => {
  const { epoch } = (await roomAt(`${HUB}/group:${name.normalize("NFC")}`).info()).position;
  const outcomes: Record<string, Outcome> = {};
  for (const [door, open] of Object.entries(DOORS)) outcomes[door] = (await open(name)) ?? epoch;
  expect(outcomes).toEqual(Object.fromEntries(Object.keys(DOORS).map((door) => [door, epoch])));
});

it.each(REFUSED)("%j is refused", async (name) => {
  const outcomes: Record<string, Outcome> = {};
  for (const [door, open] of Object.entries(DOORS)) outcomes[door] = await open(name);
  expect(new Set(Object.values(outcomes))).toEqual(new Set(["invalid_name"]));
});
