// What a service says of a user while something else is under way: a handshake, a refresh, an absence, an alarm that
// fails half-way.

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { attachedOf } from "../../../src/rooms/connection/attachment.ts";
import type { FollowedRooms } from "../../../src/rooms/links/followed-rooms.ts";
import { accountName } from "../../../src/rooms/rpc/object-names.ts";
import type { AccountObject } from "../../../src/rooms/account/account-object.ts";
import type { HolderRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import {
  connected,
  negotiate,
  open as attach,
  relayOf,
  SignalR,
} from "../../rooms/relay/client.ts";
import { Client, enter, token, upgrade } from "../../rooms/client.ts";
import { ask } from "./service.ts";

const open: Disposable[] = [];
const kept = <T extends Disposable>(client: T): T => (open.push(client), client);
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  for (const client of open.splice(0)) client[Symbol.dispose]();
});

const now = () => Math.floor(Date.now() / 1000);
const accountOf = (user: string) =>
  env.ACCOUNTS.getByName(
    accountName({ tenant: "default", user }),
  ) as unknown as DurableObjectStub<AccountObject>;
const membersOf = async (hub: string, group: string): Promise<string[]> => {
  const response = await ask("GET", `/hubs/${hub}/groups/${group}/connections`);
  const { value } = await response.json<{ value: { userId: string }[] }>();
  return value.map(({ userId }) => userId);
};
const change = async (method: string, path: string) =>
  expect([200, 204]).toContain((await ask(method, path)).status);

/** On one socket for the whole hub. */
async function rpc(hub: string, user: string, claims: object): Promise<Client> {
  const access = await token(user, { ...claims });
  const response = await upgrade(`/hubs/${hub}/rpc?arrays=1&access_token=${access}`);
  const client = kept(new Client(response.webSocket!));
  await client.next(({ method }) => method === "$/connected");
  return client;
}

it("a user who was taken out of a group before their handshake does not come into it", async () => {
  const path = "/hubs/relayed/users/slowhand/groups";
  await change("PUT", `${path}/one`);
  await change("PUT", `${path}/two`);
  await change("PUT", `${path}/three`);
  const negotiated = await negotiate("relayed", { user: "slowhand" });
  const response = await attach("relayed", negotiated.connectionToken, { user: "slowhand" });
  const client = kept(new SignalR(response.webSocket!, negotiated));
  await change("DELETE", `${path}/one`);
  await change("DELETE", path);
  await change("PUT", `${path}/three`);
  client.say({ protocol: "json", version: 1 });
  await client.shaken;
  await expect.poll(() => membersOf("relayed", "three")).toEqual(["slowhand"]);
  expect(await membersOf("relayed", "one")).toEqual([]);
  expect(await membersOf("relayed", "two")).toEqual([]);
});

it("what is said to one who has not shaken hands is heard, or told to nobody, and breaks nothing", async () => {
  const negotiated = await negotiate("relayed", { user: "mute" });
  const response = await attach("relayed", negotiated.connectionToken, { user: "mute" });
  const client = kept(new SignalR(response.webSocket!, negotiated));
  const path = `/hubs/relayed/connections/${encodeURIComponent(negotiated.connectionId)}`;
  const body = { target: "said", arguments: ["early"] };
  expect((await ask("POST", `${path}/:send`, { body })).status).toBe(202);
  expect(
    (
      await ask(
        "PUT",
        `/hubs/relayed/groups/early/connections/${encodeURIComponent(negotiated.connectionId)}`,
      )
    ).status,
  ).toBe(200);
  client.say({ protocol: "json", version: 1 });
  await client.shaken;
  expect(
    (await ask("POST", `${path}/:send`, { body: { target: "said", arguments: ["late"] } })).status,
  ).toBe(202);
  await client.hears("late");
  expect(await membersOf("relayed", "early")).toEqual(["mute"]);
});

it("a token that is taken back while its refresh is judged does not become the connection's", async () => {
  const client = await rpc("doubtful", "eager", {});
  const clerk = await rpc("doubtful", "clerk", {});
  const fresh = await token("eager", { gate: "judged", jti: "fresh", iat: now() });
  const refreshed = client.call("$/refresh", { token: fresh });
  await scheduler.wait(200);
  const path = "/hubs/doubtful/users/eager/:revoke";
  expect((await ask("POST", path, { body: { jti: "fresh" } })).status).toBe(200);
  await clerk.call("release", ["judged"]);
  expect((await refreshed).error?.data.code).toBe("token_revoked");
});

it("a group that a user is taken out of while a refresh is judged stays left", async () => {
  const caps = [{ channels: ["group:wished"], allow: ["sub"] }];
  const client = await rpc("doubtful", "taken", { caps });
  await client.call("$/join", { room: "group:wished" });
  await change("PUT", "/hubs/doubtful/users/taken/groups/given");
  const clerk = await rpc("doubtful", "clerk", {});
  const fresh = await token("taken", { role: "Member" });
  const refreshed = client.call("$/refresh", { token: fresh });
  await scheduler.wait(200);
  await change("DELETE", "/hubs/doubtful/users/taken/groups/given");
  await clerk.call("release", ["wished"]);
  expect((await refreshed).error).toBeUndefined();
  expect(await membersOf("doubtful", "given")).toEqual([]);
});

it("a group that a user is taken out of while they are away is not remembered", async () => {
  const query = "client=tab";
  const before = await connected("remembering", { user: "absent", query });
  const path = "/hubs/remembering/users/absent/groups";
  await change("PUT", `${path}/past`);
  await change("PUT", `${path}/present`);
  await runInDurableObject(relayOf("remembering", before.id), (relay, state) => {
    for (const socket of state.getWebSockets())
      (relay as unknown as DurableObject).webSocketClose!(socket, 1006, "", false);
  });
  await change("DELETE", `${path}/past`);
  kept(await connected("remembering", { user: "absent", query }));
  await expect.poll(() => membersOf("remembering", "present")).toEqual(["absent"]);
  expect(await membersOf("remembering", "past")).toEqual([]);
});

/** Its socket breaks. */
async function lose({ id }: SignalR) {
  const relay = relayOf("remembering", id);
  await runInDurableObject(relay, (instance, state) => {
    const socket = state.getWebSockets().find((one) => attachedOf(one)?.id === id)!;
    (instance as unknown as DurableObject).webSocketClose!(socket, 1006, "", false);
  });
  return relay;
}

it("an account knows the relay of a user who is away for as long as it remembers groups", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  const [user, query] = ["forgotten", "client=tab"];
  const before = await connected("remembering", { user, query });
  await before.call("Join", "g");
  const relay = await lose(before);
  const objects = () =>
    runInDurableObject(accountOf(user), (_, { storage }) =>
      [...storage.kv.list({ prefix: `user/${user}/object ` })].map(([key]) => key.split(" ")[1]),
    );
  const path = `/hubs/remembering/users/${user}/groups/other`;
  await change("DELETE", path);
  expect(await objects()).toHaveLength(1);
  vi.setSystemTime(Date.now() + 61_000);
  await runDurableObjectAlarm(relay);
  await change("DELETE", path);
  expect(await objects()).toEqual([]);
});

/** The relay's next leave waits until the function that is returned is called. */
async function slowLeave(relay: ReturnType<typeof relayOf>) {
  const leaving = { hasBegun: false, mayEnd: false };
  await runInDurableObject(relay, (instance) => {
    const { followed } = (instance as unknown as { parts: { followed: FollowedRooms } }).parts;
    const leave = followed.leave.bind(followed);
    followed.leave = async (...about) => {
      followed.leave = leave;
      leaving.hasBegun = true;
      await vi.waitFor(() => expect(leaving.mayEnd).toBe(true));
      return leave(...about);
    };
  });
  return leaving;
}

it("a client that comes back while another of its user leaves a group is not put back into it", async () => {
  const [user, query] = ["returner", "client=tab"];
  const before = await connected("remembering", { user, query });
  kept(await connected("remembering", { user }));
  const path = `/hubs/remembering/users/${user}/groups/left`;
  await change("PUT", `${path}?ttl=0`);
  expect(await membersOf("remembering", "left")).toEqual([user, user]);
  const leaving = await slowLeave(await lose(before));
  const removed = change("DELETE", path);
  await expect.poll(() => leaving.hasBegun).toBe(true);
  const back = kept(await connected("remembering", { user, query }));
  await back.call("Nothing");
  leaving.mayEnd = true;
  await removed;
  expect(await membersOf("remembering", "left")).toEqual([]);
});

it("groups that end together all end, also where one of them is a connection's own room", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const path = "/hubs/relayed/users/ending/groups";
  kept(await enter("relayed/group:aaa", { user: "ending" }));
  const client = kept(await connected("relayed", { user: "ending" }));
  for (const group of ["aaa", "bbb"]) await change("PUT", `${path}/${group}?ttl=60`);
  expect(await membersOf("relayed", "bbb")).toEqual(["ending", "ending"]);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
  await runDurableObjectAlarm(accountOf("ending")).catch(() => {});
  expect(await membersOf("relayed", "bbb")).toEqual([]);
  expect((await client.call("whoami")).error).toBeUndefined();
});

it("a group whose end an object could not be told of ends later", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.spyOn(console, "error").mockImplementation(() => {});
  const path = "/hubs/relayed/users/unheard/groups";
  const client = kept(await connected("relayed", { user: "unheard" }));
  await change("PUT", `${path}/ended?ttl=60`);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
  await runInDurableObject(relayOf("relayed", client.id), (relay) => {
    const prototype = Object.getPrototypeOf(relay) as HolderRpc;
    const layer = Object.create(prototype) as HolderRpc;
    layer.command = async () => {
      throw new Error("Lost on its way.");
    };
    Object.setPrototypeOf(relay, layer);
  });
  await runDurableObjectAlarm(accountOf("unheard")).catch(() => {});
  await runInDurableObject(
    relayOf("relayed", client.id),
    (relay) =>
      void Object.setPrototypeOf(relay, Object.getPrototypeOf(Object.getPrototypeOf(relay))),
  );
  expect(await membersOf("relayed", "ended")).toEqual(["unheard"]);
  vi.setSystemTime(Date.now() + 2_000);
  await runDurableObjectAlarm(accountOf("unheard"));
  expect(await membersOf("relayed", "ended")).toEqual([]);
});

/** As the account sees it, every object answers so. */
type Answering = {
  env: { ROOMS: object };
  admit: AccountObject["admit"];
  revoke: AccountObject["revoke"];
};
const answering = (
  user: string,
  work: (account: Answering, storage: DurableObjectStorage) => Promise<void>,
  command: (account: Answering, object: string) => Promise<unknown>,
) =>
  runInDurableObject(accountOf(user), async (instance, { storage }) => {
    const account = instance as unknown as Answering;
    const getByName = (object: string) => ({ command: () => command(account, object) });
    account.env = { ...account.env, ROOMS: { getByName } };
    await work(account, storage);
  });
const NOBODY = { matched: 0, present: 0 };

it("an object that asks while it says that it holds nobody is not forgotten", () =>
  answering(
    "meanwhile",
    async (account, { kv }) => {
      const asking = { object: "default/relayed/group/x", token: { id: "meanwhile" } };
      await account.admit("meanwhile", asking);
      await account.revoke("meanwhile", { jti: "none" });
      expect(kv.get("user/meanwhile/object default/relayed/group/x")).toBeDefined();
    },
    async (account, object) => {
      await account.admit("meanwhile", { object, token: { id: "meanwhile" } });
      return NOBODY;
    },
  ));

it("a token that is taken back while room is made for another object is refused", () => {
  let isRevoked = false;
  return answering(
    "crowded",
    async (account, { kv }) => {
      // The storage is not empty then, as that of an account with objects; and nothing of this one was read before.
      await account.revoke("another", { jti: "another" });
      for (let room = 0; room < 1_000; room++)
        kv.put(`user/crowded/object default/relayed/group/${room}`, { told: 0 });
      const late = { id: "crowded", jti: "back" };
      const admitted = await account.admit("crowded", {
        object: "default/relayed/group/new",
        token: late,
      });
      expect(admitted).toMatchObject({ fault: { code: "token_revoked" } });
    },
    async (account, object) => {
      const revokes = !isRevoked && object.endsWith("/100");
      // Said first: revoking asks objects again, this one among them.
      isRevoked ||= revokes;
      if (revokes) void account.revoke("crowded", { jti: "back" });
      return NOBODY;
    },
  );
});

it("an item of a stream is no larger than a message", async () => {
  const client = kept(await connected("relayed", { user: "items" }));
  const path = `/hubs/relayed/connections/${encodeURIComponent(client.id)}/streams/s/:send`;
  const response = await ask("POST", path, { body: "x".repeat(1_000_000) });
  expect(response.status).toBe(413);
  expect((await client.call("whoami")).error).toBeUndefined();
});

it.each([[[null]], [{ some: 1 }], [[]], [null]])("an item may be any value: %j", async (body) => {
  const client = kept(await connected("relayed", { user: "items" }));
  const path = `/hubs/relayed/connections/${encodeURIComponent(client.id)}/streams/s/:send`;
  expect((await ask("POST", path, { body })).status).toBe(202);
});

it("paths whose letters are percent-encoded are refused like others", async () => {
  const headers = { authorization: `Bearer ${await token("odd")}` };
  for (const path of ["/%63lient", "/%63lient/negotiate", "/%68ubs/relayed/negotiate"]) {
    const response = await exports.default.fetch(`https://edge.example${path}`, { headers });
    expect(response.status).toBeLessThan(500);
  }
});
