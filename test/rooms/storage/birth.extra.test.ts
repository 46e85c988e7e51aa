// Objects that were only read, or that refused, have stored nothing: counted in their storage.

import { env, exports } from "cloudflare:workers";
import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { accountName } from "../../../src/rooms/rpc/object-names.ts";
import { ask } from "../../edge/rest/service.ts";
import { NOTHING, storedIn } from "../../support/stored.ts";
import { Client, roomAt, token, upgrade } from "../client.ts";
import { open, post, relayNamed } from "../relay/client.ts";
import { postRefresh } from "../relay/members.ts";

const restAt = (room: string) => `/hubs/relayed/rooms/${encodeURIComponent(room)}`;
const bearer = async (user: string) => ({ authorization: `Bearer ${await token(user)}` });
const accountOf = (user: string) =>
  env.ACCOUNTS.getByName(accountName({ tenant: "default", user }));

async function wholeHub(user: string): Promise<Client> {
  const response = await upgrade(`/hubs/relayed/rpc?access_token=${await token(user)}`);
  return new Client(response.webSocket!);
}

describe("a room that nobody has used", () => {
  it("stores nothing for clients that read it, or that it refuses", async () => {
    using alice = await wholeHub("reader");
    const room = "group:unread";
    expect((await alice.call("$/history", { room })).result.messages).toEqual([]);
    expect((await alice.call("$/presence", { room })).result.users).toBe(0);
    const tracked = await alice.call("$/track", { room, state: 1 });
    expect(tracked.error?.data.code).toBe("forbidden");
    expect((await alice.call("$/leave", { room })).error).toBeUndefined();
    expect(await storedIn(roomAt("relayed/group:unread"))).toEqual(NOTHING);
  });

  it.each([
    ["GET", "/history"],
    ["GET", "/presence"],
    ["GET", "/info"],
    ["GET", "/connections"],
    ["DELETE", "/history"],
    ["DELETE", ""],
  ])("stores nothing for a service's %s of the room%s", async (method, path) => {
    const room = `group:rest-${method}-${path.slice(1)}`.toLowerCase();
    const response = await ask(method, `${restAt(room)}${path}`);
    await response.body?.cancel();
    expect(await storedIn(roomAt(`relayed/${room}`))).toEqual(NOTHING);
  });

  it("stores nothing where the account refuses the client", async () => {
    const account = accountOf("banned-at-birth") as unknown as {
      ban(user: string, seconds: number): Promise<void>;
    };
    await account.ban("banned-at-birth", 600);
    const user = await token("banned-at-birth");
    const response = await upgrade(`/hubs/relayed/groups/refused-at-birth?access_token=${user}`);
    expect(response.status).toBe(403);
    expect(await storedIn(roomAt("relayed/group:refused-at-birth"))).toEqual(NOTHING);
  });

  it("keeps with its first client the epoch that the client was given", async () => {
    using alice = await (async () => {
      const response = await upgrade(
        `/hubs/relayed/groups/epoch-at-birth?access_token=${await token("alice")}`,
      );
      return new Client(response.webSocket!);
    })();
    const { params } = await alice.next(({ method }) => method === "$/connected");
    await evictDurableObject(roomAt("relayed/group:epoch-at-birth"));
    const { epoch } = await roomAt("relayed/group:epoch-at-birth").publish({
      target: "said",
      params: "[]",
    });
    expect(params.position).toBe(`${epoch}:0`);
  });
});

describe("a relay named by an invented token", () => {
  const relay = "weur.15.12345";
  const invented = `${"a".repeat(22)}_zzzzzzzz_${"b".repeat(22)}@relay:${relay}`;
  const path = `/hubs/relayed?id=${invented}`;
  const send = async (method: string) =>
    exports.default.fetch(`https://edge.example${path}`, {
      ...{ method, headers: await bearer("inventor") },
      ...(method === "POST" && { body: "{}" }),
    });

  it.each([
    ["a post", () => post(path, "inventor")],
    ["a body", () => send("POST")],
    ["an end", () => send("DELETE")],
    ["a poll", () => send("GET")],
    ["a socket", () => open("relayed", invented, { user: "inventor" })],
    ["a refresh", async () => postRefresh("relayed", invented, await token("inventor"))],
  ])("stores nothing for %s, nor does the account", async (_, attempt) => {
    const before = await storedIn(accountOf("inventor"));
    expect((await attempt()).status).toBe(404);
    expect(await storedIn(relayNamed("relayed", relay))).toEqual(NOTHING);
    expect(await storedIn(accountOf("inventor"))).toEqual(before);
  });
});
