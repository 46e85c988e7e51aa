// [S7] What negotiation gave out is used once, by whom it was given, from where they may come; whoever has it stays
// whole.

import { env, exports } from "cloudflare:workers";
import { expect, it } from "vitest";
import endpoint from "../../support/worker.ts";
import { token } from "../client.ts";
import { connected, negotiate, open, SignalR, type Joining } from "./client.ts";

const statusOf = async (response: Response): Promise<number> => {
  response.webSocket?.accept();
  await response.body?.cancel();
  return response.status;
};

const attempt = async (hub: string, id: string, joining?: Joining): Promise<number> =>
  statusOf(await open(hub, id, joining));

it("[S7] of 50 that come at once with one token exactly one wins, and none comes after", async () => {
  const negotiated = await negotiate("relayed", { user: "ann" });
  const responses = await Promise.all(
    Array.from({ length: 50 }, () => open("relayed", negotiated.connectionToken, { user: "ann" })),
  );
  const won = responses.filter(({ webSocket }) => webSocket !== null);
  expect(won).toHaveLength(1);
  const others = responses.filter((response) => response !== won[0]).map(({ status }) => status);
  expect(others.filter((status) => status !== 404 && status !== 409)).toEqual([]);
  const client = new SignalR(won[0]!.webSocket!, negotiated);
  client.say({ protocol: "json", version: 1 });
  await client.shaken;
  expect(await attempt("relayed", negotiated.connectionToken, { user: "ann" })).toBe(409);
  expect((await client.call("whoami")).result.connectionId).toBe(negotiated.connectionId);
  client.socket.close(1000);
  await client.closed;
  expect(await attempt("relayed", negotiated.connectionToken, { user: "ann" })).toBe(404);
});

it.each(["relayed", "resuming"])(
  "[S7] nobody else attaches to a connection of %s, before it is there, while it lives, or after",
  async (hub) => {
    const joining = {
      user: "ann",
      version: hub === "resuming" ? 2 : 1,
      query: "useStatefulReconnect=true",
    };
    const thieves: Joining[] = [
      { user: "eve" },
      { user: "ann", claims: { tid: "other" } },
      { user: "Ann" },
    ];
    const steal = (id: string) => Promise.all(thieves.map((thief) => attempt(hub, id, thief)));
    const early = await negotiate(hub, joining);
    expect(await steal(early.connectionToken)).toEqual([404, 404, 404]);
    expect(await attempt(hub, early.connectionToken, joining)).toBe(101);
    const client = await connected(hub, joining);
    expect(await steal(client.token)).toEqual([404, 404, 404]);
    for (const thief of thieves) {
      const authorization = `Bearer ${await token(thief.user!, thief.claims)}`;
      const url = `https://edge.example/hubs/${hub}?id=${encodeURIComponent(client.token)}`;
      const posted = { method: "POST", headers: { authorization }, body: '{"type":7}\u001e' };
      expect(await statusOf(await exports.default.fetch(url, posted))).toBe(404);
      expect(
        await statusOf(await exports.default.fetch(url, { ...posted, method: "DELETE" })),
      ).toBe(404);
    }
    expect((await client.call("whoami")).result).toEqual({
      userId: "ann",
      connectionId: client.id,
    });
    client.say({ type: 7 });
    await client.closed;
    expect(await steal(client.token)).toEqual([404, 404, 404]);
  },
);

it("[S7] a page of another origin uses no token, and takes none away", async () => {
  const { connectionToken } = await negotiate("relayed", { user: "ann" });
  const query = new URLSearchParams({ id: connectionToken, access_token: await token("ann") });
  const headers = { upgrade: "websocket", origin: "https://evil.example" };
  const foreign = new Request(`https://edge.example/hubs/relayed?${query}`, { headers });
  expect(await statusOf((await endpoint.fetch(foreign, env)) as Response)).toBe(403);
  expect(await attempt("relayed", connectionToken, { user: "ann" })).toBe(101);
});
