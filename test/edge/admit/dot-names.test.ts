// `.` and `..` are no names: URL parsers remove these segments from paths, percent-encoded or not, so that nothing
// could address such a user. Refused at every door.

import { exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { world } from "../../../src/dispatch/testing/testing.ts";
import { ChatHub } from "../../../src/hubs/chat.ts";
import { canonicalName } from "../../../src/model/topic.ts";
import { enter, token, upgrade } from "../../rooms/client.ts";
import { as, clientBy, drained, failure } from "../grpc/client.ts";
import { publication } from "../grpc/values.ts";
import { ask, KEY, ORIGIN, refusal, signedFor } from "../rest/service.ts";

beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

const DOTS = [".", ".."];
const json = { "content-type": "application/json" };
const call = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "rpc.discover" });
const fetched = (path: string, init: RequestInit = {}) =>
  exports.default.fetch(ORIGIN + path, init);
const bearer = async (id: string, claims = {}) => ({
  authorization: `Bearer ${await token(id, claims)}`,
});

describe.each(DOTS)("a token whose user is %s", (id) => {
  const DOORS: readonly (readonly [string, (access: string) => Promise<Response>])[] = [
    ["a room", (access) => upgrade(`/hubs/chat/groups/a?access_token=${access}`)],
    ["its own room", (access) => upgrade(`/parties/chat/user:${id}?access_token=${access}`)],
    ["a hub", (access) => upgrade(`/hubs/chat/rpc?access_token=${access}`)],
    ["a call", (access) => post("/hubs/chat/rpc", access)],
    ["SignalR", (access) => post("/hubs/chat/negotiate?negotiateVersion=1", access)],
    ["a stream of events", (access) => fetched(`/hubs/chat/groups/a?access_token=${access}`)],
    ["REST", (access) => ask("GET", "/hubs/chat/rooms/group:a/presence_stats", { token: access })],
  ];
  const post = (path: string, access: string) =>
    fetched(path, {
      ...{ method: "POST", body: call },
      headers: { ...json, authorization: `Bearer ${access}` },
    });

  it.each(DOORS)("is refused by %s", async (_, open) => {
    const access = await token(id, { role: "service" });
    expect(await refusal(await open(access))).toEqual([401, "token_claim_invalid"]);
  });

  it("is refused by gRPC", async () => {
    const topics = [{ topic: "group:a" }];
    const stream = clientBy().subscribe({ hub: "chat", topics }, await as(id));
    expect(await failure(drained(stream))).toEqual(["Unauthenticated", "token_claim_invalid"]);
  });

  it("is refused where an access key has signed it", async () => {
    const aud = `${ORIGIN}/client/?hub=chat`;
    const access = await signedFor(aud, { key: KEY, claims: { nameid: id } });
    const response = await post("/client/negotiate?hub=chat&negotiateVersion=1", access);
    expect(await refusal(response)).toEqual([401, "token_claim_invalid"]);
  });

  it("is refused as a fresh token", async () => {
    using alice = await enter("chat/group:fresh");
    const { error } = await alice.call("$/refresh", { token: await token(id) });
    expect(error!.data.code).toBe("token_claim_invalid");
  });
});

it.each(DOTS)("a token that names a room %s is refused", async (id) => {
  const headers = { ...json, ...(await bearer("alice", { channels: [`user:${id}`] })) };
  const response = await fetched("/hubs/chat/rpc", { method: "POST", body: call, headers });
  expect(await refusal(response)).toEqual([401, "token_claim_invalid"]);
});

describe.each(DOTS)("a user named %s by a service", (id) => {
  const said = { target: "said", arguments: [] };

  it("is no room to publish in", async () => {
    const response = await ask("POST", `/hubs/chat/rooms/user:${id}/:publish`, { body: said });
    expect(await refusal(response)).toEqual([400, "invalid_name"]);
    const grpc = clientBy().publish(publication(`user:${id}`, "x", "chat"), await as("s"));
    expect(await failure(grpc)).toEqual(["InvalidArgument", "invalid_name"]);
  });

  it("gets no token of a client", async () => {
    const path = `/hubs/chat/:generateToken?userId=${encodeURIComponent(id)}`;
    expect(await refusal(await ask("POST", path))).toEqual([400, "invalid_name"]);
  });

  it("is no audience of hub code", async () => {
    const { clients } = world(ChatHub);
    expect(() => clients.user(id)).toThrow(expect.objectContaining({ code: "invalid_name" }));
  });

  it("is none that a client joins", async () => {
    using alice = await enter("chat/group:joining");
    const { error } = await alice.call("$/join", { room: `user:${id}` });
    expect(error!.data.code).toBe("invalid_name");
  });
});

it("no path reaches a user of dots: it is that of another resource, which is none", async () => {
  using alice = await enter("chat/group:kept");
  for (const path of ["users/%2e%2e", "users/../groups/kept", "users/%2E/groups/kept"]) {
    const response = await ask("DELETE", `/hubs/chat/${path}`);
    expect([404, 405]).toContain(response.status);
    await response.body?.cancel();
  }
  expect((await alice.call("sendToRoom", ["kept", "here"])).error).toBeUndefined();
});

it.each(["...", ".a", "%2e%2e", "a.."])("%s is a name like others", async (name) => {
  expect(canonicalName(name)).toBe(name);
  const path = `/hubs/chat/users/${encodeURIComponent(name)}`;
  const { webSocket, status } = await upgrade(`${path}?access_token=${await token(name)}`);
  onTestFinished(() => webSocket?.close(1000));
  webSocket?.accept();
  expect(status).toBe(101);
});
