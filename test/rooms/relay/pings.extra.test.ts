// Pings that wake a relay: MessagePack's, Java's, and those that travel with something else. Each is answered once. And
// those that are posted for connections that are none.

import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { PostedPings } from "../../../src/edge/admit/posted-pings.ts";
import { accountStub } from "../../../src/rooms/rpc/object-names.ts";
import { PING } from "../../../src/model/wire-constants.ts";
import { token } from "../client.ts";
import { connected, open, negotiate, relayOf } from "./client.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const MSGPACK_PING = Uint8Array.of(0x02, 0x91, 0x06);

/** A bare socket that speaks MessagePack: what came, as bytes. */
async function packed(hub: string) {
  const { connectionId, connectionToken } = await negotiate(hub);
  const { webSocket } = await open(hub, connectionToken);
  const heard: Uint8Array[] = [];
  webSocket!.binaryType = "arraybuffer";
  webSocket!.addEventListener("message", ({ data }) =>
    heard.push(typeof data === "string" ? bytes(data) : new Uint8Array(data as ArrayBuffer)),
  );
  webSocket!.accept();
  webSocket!.send('{"protocol":"messagepack","version":1}\u001e');
  await expect.poll(() => heard.length).toBe(1);
  return { socket: webSocket!, heard, relay: relayOf(hub, connectionId) };
}

it("answers MessagePack's pings once each, in a binary frame, and sleeps again", async () => {
  const { socket, heard, relay } = await packed("relayed");
  expect(heard[0]).toEqual(bytes("{}\u001e"));
  for (let i = 1; i <= 3; i++) {
    await evictDurableObject(relay);
    socket.send(MSGPACK_PING);
    await expect.poll(() => heard.length).toBe(1 + i);
    expect(heard[i]).toEqual(MSGPACK_PING);
  }
  await evictDurableObject(relay);
  socket.close(1000);
});

it("answers a JSON ping in a binary frame, and one that travels with a call, once each", async () => {
  using alice = await connected("relayed");
  const relay = relayOf("relayed", alice.id);
  const pongs = () => alice.frames.filter((frame) => frame.includes('{"type":6}')).length;
  await evictDurableObject(relay);
  alice.socket.send(bytes(PING));
  await expect.poll(pongs).toBe(1);
  const call = '{"type":1,"invocationId":"p","target":"Whoami","arguments":[]}\u001e';
  alice.socket.send(PING + call);
  await alice.record(({ invocationId }) => invocationId === "p");
  expect(pongs()).toBe(2);
  await evictDurableObject(relay);
});

it("lets go a MessagePack client that has pinged and then falls silent", async () => {
  const { socket, heard, relay } = await packed("relayed");
  socket.send(MSGPACK_PING);
  await expect.poll(() => heard.length).toBe(2);
  await evictDurableObject(relay);
  vi.setSystemTime(Date.now() + 200_000);
  await runDurableObjectAlarm(relay);
  await expect.poll(() => heard.length).toBe(3);
  // [7, "Connection closed with an error.", true]
  expect(heard[2]!.subarray(1, 3)).toEqual(Uint8Array.of(0x93, 0x07));
  vi.useRealTimers();
});

describe("pings that are posted", () => {
  const posted = async (id: string, user = "alice"): Promise<number> => {
    const headers = { authorization: `Bearer ${await token(user)}` };
    const url = `https://edge.example/hubs/relayed?id=${encodeURIComponent(id)}`;
    const response = await exports.default.fetch(url, { method: "POST", headers, body: PING });
    await response.body?.cancel();
    return response.status;
  };

  it("are refused where there is no connection, each of them", async () => {
    const { connectionToken } = await negotiate("relayed", { user: "bob" });
    const late = connectionToken.replace(/_[0-9a-z]+_/, "_10000000_");
    expect([await posted(late), await posted(late)]).toEqual([404, 404]);
  });

  it("are refused where the connection has a WebSocket, or its user is banned, each of them", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    onTestFinished(() => void vi.useRealTimers());
    using carol = await connected("relayed", { user: "carol-pings" });
    vi.setSystemTime(Date.now() + 60_000);
    const post = () => posted(carol.token, "carol-pings");
    expect([await post(), await post()]).toEqual([405, 405]);
    await accountStub(env, { tenant: "default", user: "carol-pings" }).ban(60);
    expect([await post(), await post()]).toEqual([403, 403]);
  });

  it("are not remembered where the id is no token, which may be as long as a URL", async () => {
    const remembered = vi.spyOn(PostedPings.prototype, "isDue");
    onTestFinished(() => remembered.mockRestore());
    for (const id of ["x".repeat(9_000), `${"x".repeat(9_000)}@relay:any.0.0`])
      expect([await posted(id), await posted(id)]).toEqual([404, 404]);
    expect(remembered).not.toHaveBeenCalled();
  });
});
