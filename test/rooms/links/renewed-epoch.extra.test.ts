// A room that crashes and goes on under a new epoch, while objects follow it: their clients learn of it, as a room's
// own would, before anything else of the new epoch.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeEach, afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { Client, roomAt, token, upgrade } from "../client.ts";
import { connected } from "../relay/client.ts";
import { range } from "../storage.ts";

beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

/** A client of one protocol: texts and resets in the order in which they came. */
interface Listener {
  seen(): readonly unknown[];
}

const RESET = "reset";

async function jsonRpc(hub: string, name: string): Promise<Listener> {
  const access = await token("json", { channels: [`group:${name}`] });
  const response = await upgrade(`/hubs/${hub}/rpc?access_token=${access}`);
  const client = new Client(response.webSocket!);
  onTestFinished(() => client[Symbol.dispose]());
  await client.heardFrame(({ method }) => method === "$/connected");
  return {
    seen: () =>
      client.heard.flatMap(({ method, params, room }) => {
        if (room !== `group:${name}`) return [];
        return method === "$/reset" ? [RESET] : method === "said" ? [params[0]] : [];
      }),
  };
}

async function signalR(hub: string, name: string): Promise<Listener> {
  const client = await connected(hub, { claims: { channels: [`group:${name}`] } });
  onTestFinished(() => client[Symbol.dispose]());
  return { seen: () => client.texts };
}

const say = (room: string, word: unknown) =>
  roomAt(room).publish({ target: "said", params: JSON.stringify([word]) });

/** Only this room crashes: the objects that follow it live on. */
const crash = (room: string) =>
  runInDurableObject(roomAt(room), (_, state) => state.abort("A crash.")).catch(() => {});

const positionIn = async (room: string) => (await roomAt(room).info()).position;

/** One of its messages is lost by the crash: saved are those before the history was read. */
async function crashBehind(room: string, seen: Listener["seen"]): Promise<void> {
  const { length } = seen();
  await say(room, "saved");
  await roomAt(room).history({});
  await say(room, "unsaved");
  await expect.poll(() => seen().slice(length)).toEqual(["saved", "unsaved"]);
  const { epoch } = await positionIn(room);
  await crash(room);
  expect((await positionIn(room)).epoch).not.toBe(epoch);
}

describe("a room that is written behind crashes", () => {
  it("and its follower's clients of JSON-RPC get a reset first, then every message once", async () => {
    const room = "behind/group:crash-json";
    const { seen } = await jsonRpc("behind", "crash-json");
    await crashBehind(room, seen);
    for (const n of range(1, 3)) await say(room, n);
    await expect.poll(seen).toEqual(["saved", "unsaved", RESET, 1, 2, 3]);
  });

  it("and its follower's clients get a reset although nobody publishes any more", async () => {
    const { seen } = await jsonRpc("behind", "crash-quiet");
    await crashBehind("behind/group:crash-quiet", seen);
    await expect.poll(seen).toEqual(["saved", "unsaved", RESET]);
  });

  it("and its follower's clients of SignalR get no message again, and none too few", async () => {
    const room = "behind/group:crash-signalr";
    const { seen } = await signalR("behind", "crash-signalr");
    await crashBehind(room, seen);
    for (const n of range(1, 3)) await say(room, n);
    await expect.poll(seen).toEqual(["saved", "unsaved", 1, 2, 3]);
  });

  const rounds = 10;
  it(`${rounds} times, and each time its follower's clients of both protocols agree`, async () => {
    const room = "behind/group:crash-often";
    const json = await jsonRpc("behind", "crash-often");
    const signalr = await signalR("behind", "crash-often");
    const expected: unknown[] = [];
    for (const n of range(1, rounds)) {
      // oxlint-disable-next-line no-await-in-loop -- one crash after another
      await crashBehind(room, signalr.seen);
      await say(room, n);
      expected.push("saved", "unsaved", RESET, n);
      await expect.poll(json.seen).toEqual(expected);
      await expect.poll(signalr.seen).toEqual(expected.filter((one) => one !== RESET));
    }
  }, 120_000);
});

describe("a room without a log", () => {
  it("resets its followers' clients after a crash, which may have cut messages off", async () => {
    const room = "unlogged/group:crash";
    const { seen } = await jsonRpc("unlogged", "crash");
    await say(room, 1);
    await expect.poll(seen).toEqual([1]);
    await crash(room);
    await say(room, 2);
    await expect.poll(seen).toEqual([1, RESET, 2]);
  });

  it("resets nobody after a sleep that followed a checkpoint", async () => {
    const room = "unlogged/group:sleep";
    const { seen } = await jsonRpc("unlogged", "sleep");
    await say(room, 1);
    await expect.poll(seen).toEqual([1]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 6_000 });
    onTestFinished(() => void vi.useRealTimers());
    await runDurableObjectAlarm(roomAt(room));
    await evictDurableObject(roomAt(room));
    await say(room, 2);
    await expect.poll(seen).toEqual([1, 2]);
  });
});
