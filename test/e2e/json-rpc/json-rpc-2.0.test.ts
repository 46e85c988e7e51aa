// json-rpc-2.0 (npm), a library that knows no transport, against a whole hub: over one WebSocket, and over POST.

import {
  JSONRPCClient,
  JSONRPCServer,
  JSONRPCServerAndClient,
  type JSONRPCRequest,
} from "json-rpc-2.0";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../../support/endpoint.ts";
import { sharedTestEndpoint } from "../../support/shared-endpoint.ts";
import { within } from "../client.ts";
import { Inbox, POSITION, rpcSocket, type Heard } from "./sockets.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedTestEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

/** The library's own whole: a client for our calls, and a server for what the hub says and asks. */
async function converse(user = "alice") {
  const socket = await rpcSocket({ endpoint, hub: "stock", user });
  const send = (payload: unknown) => socket.send(JSON.stringify(payload));
  const rpc = new JSONRPCServerAndClient(new JSONRPCServer(), new JSONRPCClient(send));
  const inbox = new Inbox<Heard>();
  for (const method of ["$/connected", "$/item", "said", "stopped"])
    rpc.addMethodAdvanced(method, async (request) => (inbox.add(request), null));
  socket.on("message", (data: Buffer) => void rpc.receiveAndSend(JSON.parse(data.toString())));
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  const lose = () => (socket.terminate(), within(closed, "the close"));
  const { params: hello } = await inbox.next("$/connected");
  return { rpc, inbox, hello, lose, [Symbol.asyncDispose]: lose };
}

const isSaid = ({ method }: Heard) => method === "said";

const request = (id: string | number, method: string, params?: unknown): JSONRPCRequest => ({
  ...{ jsonrpc: "2.0", id, method },
  ...(params !== undefined && { params }),
});

const failed = (code: number, name: string) => ({
  ...{ code, message: expect.any(String), data: { code: name } },
});

/** Beside calls of every end a notification, which has no place in the answer. */
const BATCH: JSONRPCRequest[] = [
  request("a", "add", [40, 2]),
  request(7, "nothing"),
  { jsonrpc: "2.0", method: "echo", params: ["nobody waits"] },
  request("b", "fail", ["short and stout"]),
  request(8.5, "echo", { one: "object" }),
];

const ANSWERS = [
  { jsonrpc: "2.0", id: "a", result: 42 },
  { jsonrpc: "2.0", id: 7, error: failed(-32601, "method_not_found") },
  { jsonrpc: "2.0", id: "b", error: failed(-32000, "teapot") },
  { jsonrpc: "2.0", id: 8.5, result: { one: "object" } },
];

const ERRORS: [code: number, name: string, method: string, params?: unknown][] = [
  [-32601, "method_not_found", "nothing"],
  [-32602, "invalid_arguments", "add", ["1", 2]],
  [-32001, "forbidden", "secret"],
  [-32000, "teapot", "fail", ["short and stout"]],
  [-32603, "internal", "crash"],
];

describe("json-rpc-2.0 over a WebSocket", () => {
  it("calls, and is told who it is", async () => {
    await using alice = await converse();
    expect(alice.hello).toMatchObject({ userId: "alice", pingSeconds: 15 });
    expect(await alice.rpc.request("add", [40, 2])).toBe(42);
    expect(await alice.rpc.request("echo", { one: "object" })).toEqual({ one: "object" });
  });

  it.each(ERRORS)("is refused with %i, %s", async (code, name, method, params) => {
    await using alice = await converse();
    const { error } = await alice.rpc.requestAdvanced(request("id", method, params));
    expect(error).toEqual(failed(code, name));
  });

  it("sends batches, whose answers come together, and batches of one", async () => {
    await using alice = await converse();
    expect(await alice.rpc.requestAdvanced(BATCH)).toEqual(ANSWERS);
    expect(await alice.rpc.requestAdvanced([BATCH[0]!])).toEqual([ANSWERS[0]]);
  });

  it("is asked by a call of its batch, and the batch waits for the answer", async () => {
    await using alice = await converse();
    alice.rpc.addMethod("confirm", ([question]: string[]) => question === "sure?");
    const asked = ["sure?", "really?"].map((question) => request(question, "ask", [question]));
    expect(await alice.rpc.requestAdvanced(asked)).toEqual([
      { jsonrpc: "2.0", id: "sure?", result: true },
      { jsonrpc: "2.0", id: "really?", result: false },
    ]);
  });

  it("refuses for itself what it has no method for", async () => {
    await using alice = await converse();
    const { error } = await alice.rpc.requestAdvanced(request(1, "ask", ["sure?"]));
    expect(error).toEqual(failed(-32000, "client_error"));
  });

  it("notifies, and hears rooms with the place beside the params", async () => {
    await using alice = await converse();
    await using bob = await converse("bob");
    await alice.rpc.request("$/join", { room: "group:plain" });
    bob.rpc.notify("say", ["plain", "hello"]);
    expect(await alice.inbox.next("said", isSaid)).toEqual({
      ...{ jsonrpc: "2.0", method: "said", params: ["hello"] },
      ...{ room: "group:plain", position: POSITION },
    });
  });

  it("cancels a call by its id", async () => {
    await using alice = await converse();
    const waiting = alice.rpc.requestAdvanced(request("w", "wait"));
    await alice.inbox.next("said", isSaid);
    alice.rpc.notify("$/cancelRequest", { id: "w" });
    expect((await waiting).error).toEqual(failed(-32800, "cancelled"));
    await alice.inbox.next("stopped", ({ method }) => method === "stopped");
  });

  it("resumes several rooms after a loss", async () => {
    const before = await converse();
    await using bob = await converse("bob");
    const stands: Record<string, string> = {};
    for (const room of ["group:plain1", "group:plain2"])
      stands[room] = (await before.rpc.request("$/join", { room })).position;
    await before.lose();
    for (const name of ["plain1", "plain2"]) await bob.rpc.request("say", [name, `in ${name}`]);
    await using after = await converse();
    expect(await after.rpc.request("$/resume", { rooms: stands })).toEqual({
      "group:plain1": { position: POSITION, recovered: true, replayed: 1 },
      "group:plain2": { position: POSITION, recovered: true, replayed: 1 },
    });
    await after.rpc.request("sayMe", ["the end"]);
    await after.inbox.next("said", ({ params }) => JSON.stringify(params) === '["the end"]');
    const heard = after.inbox.all.filter(isSaid).map(({ room }) => room);
    expect(heard.slice(0, -1).toSorted()).toEqual(["group:plain1", "group:plain2"]);
  });
});

describe("json-rpc-2.0 over POST", () => {
  /** The status of each answer, and the client they are given to. */
  async function caller() {
    const authorization = `Bearer ${await endpoint.token("alice")}`;
    const statuses: number[] = [];
    const client: JSONRPCClient = new JSONRPCClient(async (payload) => {
      const response = await fetch(`${endpoint.url}/hubs/stock/rpc`, {
        method: "POST",
        headers: { authorization, "content-type": "application/json" },
        body: JSON.stringify(payload),
      });
      statuses.push(response.status);
      const text = await response.text();
      if (text !== "") client.receive(JSON.parse(text));
    });
    return { client, statuses };
  }

  it("calls, and sends batches", async () => {
    const { client, statuses } = await caller();
    expect(await client.request("add", [40, 2])).toBe(42);
    expect(await client.requestAdvanced(BATCH)).toEqual(ANSWERS);
    expect(await client.requestAdvanced([BATCH[0]!])).toEqual([ANSWERS[0]]);
    expect(statuses).toEqual([200, 200, 200]);
  });

  it.each(ERRORS)("is refused with %i, %s, by 200", async (code, name, method, params) => {
    const { client, statuses } = await caller();
    const { error } = await client.requestAdvanced(request("id", method, params));
    expect(error).toEqual(failed(code, name));
    expect(statuses).toEqual([200]);
  });

  it("notifies, and is answered with 204 and nothing", async () => {
    const { client, statuses } = await caller();
    await using bob = await converse("bob");
    await bob.rpc.request("$/join", { room: "group:posted" });
    await client.send({ jsonrpc: "2.0", method: "say", params: ["posted", "hello"] });
    expect(await bob.inbox.next("said", isSaid)).toMatchObject({ params: ["hello"] });
    expect(statuses).toEqual([204]);
  });
});
