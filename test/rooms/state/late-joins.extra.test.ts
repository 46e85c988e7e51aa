// Rooms with state that are slow to join, or cannot be reached at first: a connection that is removed from one
// meanwhile, or whose fresh token does not name it, does not join it later.

import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { PresenceView } from "../../../src/rooms/rpc/presence-view.ts";
import { ask } from "../../edge/rest/service.ts";
import { release, steering, untilReleased } from "../../support/steered-hub.ts";
import type { ObjectParts } from "../../../src/rooms/object/object-parts.ts";
import { relayOf } from "../relay/client.ts";
import { Client, enter, roomAt, token, upgrade } from "../client.ts";
import { newRoom } from "./steered-room.ts";

/** The pauses before a join is tried again, which end here when the room can be reached. */
const PAUSES_MS = [1_000, 5_000, 15_000];

beforeEach(() => {
  const wait = scheduler.wait.bind(scheduler);
  vi.spyOn(scheduler, "wait").mockImplementation(async (ms) => {
    if (!PAUSES_MS.includes(ms)) return wait(ms);
    while (steering.isHeld) await wait(1);
  });
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  release();
  vi.restoreAllMocks();
});

const SECRET = { count: 40, label: "secret" };

/** The room's state comes once the test releases it; before, it is waited for, or fails. */
const LOADS = {
  slow: async () => {
    await untilReleased();
    return SECRET;
  },
  failing: async () => {
    if (steering.isHeld) throw new Error("No database.");
    return SECRET;
  },
} as const;

interface Scene {
  readonly client: Client;
  readonly user: string;
  readonly room: string;
}

async function arriving(load: () => Promise<unknown>): Promise<Scene> {
  let loads = 0;
  steering.isHeld = true;
  steering.load = () => {
    loads += 1;
    return load();
  };
  const room = newRoom().slice("steered/".length);
  const user = `late-${crypto.randomUUID()}`;
  const access = await token(user, { channels: [room] });
  const { webSocket } = await upgrade(`/hubs/steered/rpc?arrays=1&access_token=${access}`);
  const client = new Client(webSocket!);
  onTestFinished(() => client[Symbol.dispose]());
  await expect.poll(() => loads).toBeGreaterThan(0);
  return { client, user, room };
}

const connectionsIn = async (room: string): Promise<number> => {
  const view: PresenceView = await roomAt(`steered/${room}`).presence({ limit: 0 });
  return view.connections;
};

const REMOVALS: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  "a service removes its user": async ({ user, room }) => {
    const path = `/hubs/steered/users/${user}/groups/${room.slice("group:".length)}`;
    expect((await ask("DELETE", path)).status).toBe(204);
  },
  "a service removes it from all groups": async ({ user }) => {
    expect((await ask("DELETE", `/hubs/steered/users/${user}/groups`)).status).toBe(204);
  },
  "a service removes the connection": async ({ client, room }) => {
    const { params } = await client.said("$/connected");
    const path = `/hubs/steered/rooms/${encodeURIComponent(room)}/connections`;
    expect((await ask("DELETE", `${path}/${encodeURIComponent(params.connectionId)}`)).status).toBe(
      200,
    );
  },
  "its fresh token does not name it": async ({ client, user, room }) => {
    const fresh = await token(user, { role: "Stranger" });
    expect((await client.call("$/refresh", { token: fresh })).error).toBeUndefined();
    expect((await client.said("$/left")).params.room).toBe(room);
  },
  "its client leaves": ({ client, room }) => client.call("$/leave", { room }),
};

describe.each(Object.entries(LOADS))("a %s room", (_, load) => {
  it.each(Object.entries(REMOVALS))("is not joined after %s", async (__, remove) => {
    const scene = await arriving(load);
    await remove(scene);
    steering.isHeld = false;
    using other = await enter(`steered/${scene.room}`, { user: "other" });
    expect(other.hello.params.state).toEqual(SECRET);
    for (let looks = 0; looks < 30; looks++) expect(await connectionsIn(scene.room)).toBe(1);
    await scene.client.call("$/nothing");
    expect(JSON.stringify(scene.client.heard)).not.toContain("secret");
  });

  it("is joined later by a connection that stays", async () => {
    const { client, room } = await arriving(load);
    steering.isHeld = false;
    await client.said("$/state");
    expect(await connectionsIn(room)).toBe(1);
  });
});

it("is not joined after a service removes it from all groups, while its publications are under way", async () => {
  const user = `late-${crypto.randomUUID()}`;
  const { webSocket } = await upgrade(`/hubs/steered/rpc?access_token=${await token(user)}`);
  using client = new Client(webSocket!);
  const { params } = await client.said("$/connected");
  const inRelay = <T>(read: (parts: ObjectParts) => T) =>
    runInDurableObject(relayOf("steered", params.connectionId), (one) =>
      read((one as unknown as { readonly parts: ObjectParts }).parts),
    );
  const pending = () =>
    inRelay(({ connections }) => connections.get(params.connectionId)?.pending?.size);
  steering.isHeld = true;
  await inRelay(({ followed: { undelivered } }) => {
    // One promise: whoever waits first goes on first.
    vi.spyOn(undelivered, "settled").mockReturnValue(untilReleased());
  });
  const room = newRoom().slice("steered/".length);
  const refreshed = client.call("$/refresh", { token: await token(user, { channels: [room] }) });
  await expect.poll(pending).toBe(1);
  const removed = ask("DELETE", `/hubs/steered/users/${user}/groups`);
  await expect.poll(pending).toBe(0);
  steering.isHeld = false;
  expect((await removed).status).toBe(204);
  await refreshed;
  using other = await enter(`steered/${room}`, { user: "other" });
  expect(other.hello.params.room).toBe(room);
  for (let looks = 0; looks < 30; looks++) expect(await connectionsIn(room)).toBe(1);
});
