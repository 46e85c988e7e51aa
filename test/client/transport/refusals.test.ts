// Refusals of the server, told on the socket: the error that the application sees, and whether attempts go on.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TestHub } from "../hubs.ts";
import { advance, connectedClient, connectingClient, outcomeOf } from "../server.ts";

const printed = vi.fn<(...texts: string[]) => void>();
beforeEach(() => void vi.spyOn(console, "error").mockImplementation(printed));
afterEach(() => {
  printed.mockReset();
  vi.restoreAllMocks();
});

const fresh = async () => "fresh";

describe("a refusal for good", () => {
  it.each([
    [400, "invalid_name"],
    [401, "token_wrong_issuer"],
    [403, "forbidden_origin"],
    [404, "hub_not_found"],
    [400, "client_too_old"],
    [501, "unimplemented"],
  ])("of %i %s ends the attempts, and says why", async (status, code) => {
    const { server, client } = await connectingClient<TestHub>();
    const refused = { status, code, message: "A sentence.", action: "Do this." };
    server.socket.refuse(refused);
    expect(client.state.status).toBe("closed");
    expect(client.state).toMatchObject({ error: { name: "HubError", ...refused } });
    await expect(client.ready).rejects.toMatchObject(refused);
    expect(client.lastError).toMatchObject(refused);
    await advance(120_000);
    expect(server.sockets).toHaveLength(1);
    expect(printed.mock.calls).toEqual([[code, "A sentence.", "Do this."]]);
  });

  it("rejects the calls that wait, with its reason as their cause", async () => {
    const { server, client } = await connectingClient<TestHub>();
    const call = client.invoke.add(1, 2).catch((error: Error) => error);
    server.socket.refuse({ status: 404, code: "hub_not_found" });
    expect(await call).toMatchObject({ code: "closed", cause: { code: "hub_not_found" } });
  });

  it("ends a connection that was once open as well", async () => {
    const { server, client } = await connectedClient<TestHub>({ token: fresh });
    server.socket.end(4401, "The token has expired.");
    await advance(500);
    server.socket.refuse({ status: 403, code: "banned", message: "This user is banned: Spam." });
    expect(client.state).toMatchObject({
      ...{ status: "closed", error: { code: "banned", message: "This user is banned: Spam." } },
    });
    await advance(120_000);
    expect(server.sockets).toHaveLength(2);
  });
});

describe("a refused token", () => {
  it("is followed by one attempt with a new one, and no more", async () => {
    let n = 0;
    const { server, client } = await connectingClient<TestHub>({ token: async () => `t${++n}` });
    server.socket.refuse({ status: 401, code: "token_expired" });
    expect(client.state).toMatchObject({ status: "connecting", error: { code: "token_expired" } });
    await advance(500);
    server.socket.refuse({ status: 401, code: "token_expired" });
    expect(client.state).toMatchObject({ status: "closed", error: { code: "token_expired" } });
    await advance(120_000);
    expect(server.sockets.map(({ query }) => query["access_token"])).toEqual(["t1", "t2"]);
  });

  it("may be followed by another again, once one was accepted", async () => {
    const { server, client } = await connectingClient<TestHub>({ token: fresh });
    for (let round = 1; round <= 3; round += 1) {
      server.socket.refuse({ status: 401, code: "token_expired" });
      // oxlint-disable-next-line no-await-in-loop -- one attempt after another
      await advance(5_000);
      server.socket.greet();
      // oxlint-disable-next-line no-await-in-loop -- the same
      await advance(6_000);
      server.socket.end(4401);
      // oxlint-disable-next-line no-await-in-loop -- the same
      await advance(5_000);
    }
    expect(client.state.status).toBe("reconnecting");
    expect(server.sockets).toHaveLength(7);
  });
});

describe("a refusal that may be over soon", () => {
  it.each([
    [429, "rate_limited", 7],
    [503, "room_full", 1],
    [500, "internal", 0],
    [503, "unavailable", 0],
  ])("of %i %s is tried again, after the server's %i s and a pause", async (...refusal) => {
    const [status, code, retryAfter] = refusal;
    const { server, client } = await connectingClient<TestHub>();
    server.socket.refuse({ status, code, ...(retryAfter > 0 && { retryAfter }) });
    expect(client.state).toMatchObject({ status: "connecting", error: { code, status } });
    await advance(retryAfter * 1000 + 499);
    expect(server.sockets).toHaveLength(1);
    await advance(1);
    expect(server.sockets).toHaveLength(2);
    expect(printed).toHaveBeenCalledTimes(status === 500 ? 1 : 0);
  });

  it("of a misconfigured server is in the console at each attempt, for it does not pass by itself", async () => {
    const { server } = await connectingClient<TestHub>();
    const refused = { code: "misconfigured", message: "ROOMS is missing.", action: "Add it." };
    server.socket.refuse({ status: 500, ...refused });
    await advance(5_000);
    server.socket.refuse({ status: 500, ...refused });
    const line = Object.values(refused);
    expect(printed.mock.calls).toEqual([line, line]);
  });

  it("is waited for ten minutes at most, whatever the server says", async () => {
    const { server } = await connectingClient<TestHub>();
    server.socket.refuse({ status: 503, code: "unavailable", retryAfter: 1e9 });
    await advance(600_500);
    expect(server.sockets).toHaveLength(2);
  });
});

describe("a token function", () => {
  it.each([
    ["nothing", undefined],
    ["an empty text", ""],
    ["null", null],
    ["an object", { token: "t" }],
  ])("that gives %s ends the attempts with no_token", async (_, given) => {
    const token = () => given as string;
    const { server, client } = await connectingClient<TestHub>({ token });
    expect(client.state).toMatchObject({ status: "closed", error: { code: "no_token" } });
    expect(await outcomeOf(client.ready)).toEqual({ code: "no_token" });
    await advance(120_000);
    expect(server.sockets).toHaveLength(0);
  });

  it("that throws is no_token at once, with its error as the cause, and is asked again", async () => {
    const cause = new TypeError("Failed to fetch");
    const { client } = await connectingClient<TestHub>({ token: () => Promise.reject(cause) });
    expect(client.state).toMatchObject({
      status: "connecting",
      error: { code: "no_token", cause },
    });
  });

  it("that gives nothing once it is signed out ends an open connection's attempts", async () => {
    let token = "t";
    const { server, client } = await connectedClient<TestHub>({ token: () => token });
    token = "";
    server.socket.end(4401);
    await advance(500);
    expect(client.state).toMatchObject({ status: "closed", error: { code: "no_token" } });
  });
});

it("a lost network has a sentence that names the host, and attempts go on", async () => {
  const { server, client } = await connectingClient<TestHub>();
  server.socket.fail();
  const { error } = client.state as { error: Error };
  expect(error.message).toBe("No connection to host.");
  await advance(500);
  expect(server.sockets).toHaveLength(2);
});

it("a ban while it is connected is told as a ban, and ends it", async () => {
  const { server, client } = await connectedClient<TestHub>();
  server.socket.end(4512, "This user is banned: Spam.");
  expect(client.state).toMatchObject({
    ...{ status: "closed", error: { code: "banned" } },
  });
  expect(client.lastError?.message).toContain("This user is banned: Spam.");
});

it("a message that another client has published by that name is no refusal", async () => {
  const { server, client } = await connectedClient<TestHub>();
  const params = { status: 403, code: "banned", message: "Go away." };
  server.socket.deliver({ method: "$/refused", room: "group:lobby", position: "e:11", params });
  expect(client.state.status).toBe("connected");
  expect(client.lastError).toBeUndefined();
});

it("the client says its version", async () => {
  const { server } = await connectingClient<TestHub>();
  expect(server.socket.url.searchParams.get("dormouse")).toMatch(/^\d+\.\d+\.\d+$/);
});
