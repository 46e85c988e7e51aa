// vscode-jsonrpc (npm), the library of language servers, against a whole hub: what it says natively, and what it hears.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CancellationTokenSource } from "vscode-jsonrpc/node";
import type { Endpoint } from "../../support/endpoint.ts";
import { sharedTestEndpoint } from "../../support/shared-endpoint.ts";
import { POSITION, type Heard } from "./sockets.ts";
import { converse as begin } from "./vscode-peer.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedTestEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

const converse = (user = "alice") => begin({ endpoint, hub: "stock", user });

const isSaid = ({ method }: Heard) => method === "said";

describe("vscode-jsonrpc", () => {
  it("is told who it is", async () => {
    await using alice = await converse();
    const connectionId = expect.stringMatching(/@relay:/);
    expect(alice.hello).toMatchObject({ connectionId, userId: "alice", pingSeconds: 15 });
  });

  it("calls by position, and with a lone object as params", async () => {
    await using alice = await converse();
    const { connection } = alice;
    expect(await connection.sendRequest("add", 40, 2)).toBe(42);
    for (const value of ["naïve 🐁", 0.5, true, null, [1, [2]], { a: { b: [null] } }, {}])
      expect(await connection.sendRequest("echo", value)).toEqual(value);
    const many = Array.from({ length: 40 }, (_, n) => connection.sendRequest("echo", n));
    expect(await Promise.all(many)).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });

  it.each<[code: number, name: string, method: string, args: unknown[]]>([
    [-32601, "method_not_found", "nothing", []],
    [-32602, "invalid_arguments", "add", ["1", 2]],
    [-32602, "invalid_arguments", "add", [1, 2, 3]],
    [-32001, "forbidden", "secret", []],
    [-32000, "teapot", "fail", ["short and stout"]],
    [-32603, "internal", "crash", []],
    [-32602, "invalid_arguments", "$/join", [{}]],
    [-32001, "forbidden", "$/join", [{ room: "user:bob" }]],
  ])("is refused with %i, %s, by %s", async (code, name, method, args) => {
    await using alice = await converse();
    const error = await alice.connection.sendRequest(method, ...args).catch((why: unknown) => why);
    expect(error).toMatchObject({ code, data: { code: name } });
    expect(`${error}`).not.toContain("a secret of the server");
  });

  it("notifies, and hears what is said in a room it has joined, with its place", async () => {
    await using alice = await converse();
    await using bob = await converse("bob");
    const params: unknown[][] = [];
    alice.connection.onNotification("said", (...given: unknown[]) => void params.push(given));
    const room = "group:vscode";
    const joined = await alice.connection.sendRequest("$/join", { room });
    expect(joined).toEqual({ position: POSITION, recovered: false, replayed: 0 });
    await bob.connection.sendNotification("say", "vscode", "hello");
    expect(await alice.inbox.next("said", isSaid)).toEqual({
      ...{ jsonrpc: "2.0", method: "said", params: ["hello"] },
      ...{ room, position: POSITION },
    });
    expect(await alice.connection.sendRequest("$/leave", { room })).toBeNull();
    await bob.connection.sendRequest("$/join", { room });
    await bob.connection.sendRequest("say", "vscode", "unheard");
    await bob.inbox.next("said", isSaid);
    await alice.connection.sendRequest("sayMe", "to me alone");
    const { room: none, position } = await alice.inbox.next("said", isSaid);
    expect([none, position]).toEqual([undefined, undefined]);
    expect(params).toEqual([["hello"], ["to me alone"]]);
  });

  it("answers what the hub asks it, now or later, and refuses", async () => {
    await using alice = await converse();
    const { connection } = alice;
    const later = Promise.withResolvers<boolean>();
    connection.onRequest("confirm", (question: string): unknown => {
      if (question === "no?") throw new Error("not now");
      return question === "later?" ? later.promise : question === "sure?";
    });
    const asked = connection.sendRequest("ask", "later?");
    expect(await connection.sendRequest("ask", "sure?")).toBe(true);
    later.resolve(false);
    expect(await asked).toBe(false);
    await expect(connection.sendRequest("ask", "no?")).rejects.toMatchObject({
      ...{ code: -32000, data: { code: "client_error" } },
      message: expect.stringContaining("not now"),
    });
  });

  it("refuses for itself what no handler of its own answers", async () => {
    await using alice = await converse();
    await expect(alice.connection.sendRequest("ask", "sure?")).rejects.toMatchObject({
      ...{ code: -32000, data: { code: "client_error" } },
      message: expect.stringContaining("Unhandled method confirm"),
    });
  });

  it("cancels by its token: the call ends, and the hub is told", async () => {
    await using alice = await converse();
    const source = new CancellationTokenSource();
    const waiting = alice.connection.sendRequest("wait", source.token);
    await alice.inbox.next("said", ({ params }) => JSON.stringify(params) === '["waiting"]');
    source.cancel();
    await expect(waiting).rejects.toMatchObject({ code: -32800, data: { code: "cancelled" } });
    await alice.inbox.next("stopped", ({ method }) => method === "stopped");
  });

  it("hears a stream as notifications before its answer", async () => {
    await using alice = await converse();
    const items: unknown[] = [];
    alice.connection.onNotification("$/item", ({ item }) => void items.push(item));
    expect(await alice.connection.sendRequest("count", 3)).toBeNull();
    expect(items).toEqual([1, 2, 3]);
  });

  it("resumes several rooms after a loss, each for itself", async () => {
    const before = await converse();
    await using bob = await converse("bob");
    const rooms = ["vscode1", "vscode2"];
    const stands: Record<string, string> = { "user:bob": "elsewhere:7" };
    for (const name of rooms) {
      await before.connection.sendRequest("$/join", { room: `group:${name}` });
      await bob.connection.sendRequest("say", name, "before");
      stands[`group:${name}`] = (await before.inbox.next("said", isSaid)).position!;
    }
    await before.lose();
    for (const name of rooms) await bob.connection.sendRequest("say", name, `missed in ${name}`);
    await using after = await converse();
    expect(await after.connection.sendRequest("$/resume", { rooms: stands })).toEqual({
      "group:vscode1": { position: POSITION, recovered: true, replayed: 1 },
      "group:vscode2": { position: POSITION, recovered: true, replayed: 1 },
      "user:bob": { error: { code: "forbidden", message: expect.any(String) } },
    });
    await after.connection.sendRequest("say", "vscode1", "after");
    await after.inbox.next("said", ({ params }) => JSON.stringify(params) === '["after"]');
    const texts = after.inbox.all.filter(isSaid).map(({ params }) => params);
    expect(texts.slice(0, 2).toSorted()).toEqual(rooms.map((name) => [`missed in ${name}`]));
    expect(texts).toHaveLength(3);
  });

  it("is told by rpc.discover what it may call", async () => {
    await using alice = await converse();
    const { methods } = (await alice.connection.sendRequest("rpc.discover")) as {
      methods: object[];
    };
    expect(methods).toContainEqual({
      ...{ name: "add", paramStructure: "by-position", result: { name: "result", schema: {} } },
      params: ["arg1", "arg2"].map((name) => ({
        name,
        required: true,
        schema: expect.objectContaining({ type: "integer" }),
      })),
    });
  });
});
