// What community clients send, byte for byte as they were recorded, and what ASP.NET Core answers them. Clients that
// never ping are in server-pings.extra.test.ts.

import { runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { token, upgrade } from "../client.ts";
import { connected, negotiate, open, relayOf } from "./client.ts";

const RS = "\u001e";

/** A bare socket: everything that came, as text, and how it was closed. */
async function bare(response: Response) {
  const socket = response.webSocket!;
  const heard: string[] = [];
  let closedWith: number | undefined;
  socket.addEventListener("message", ({ data }) => void heard.push(data as string));
  socket.addEventListener("close", ({ code }) => void (closedWith = code));
  socket.accept();
  const said = (text: string) => expect.poll(() => heard.join("")).toContain(text);
  return { socket, said, heard, closedWith: () => closedWith };
}

describe("signalrcore 0.9 for Python", () => {
  const call = (argument: string) =>
    `{"type": 1, "headers": {}, "target": "Echo", "arguments": [${argument}], "invocationId": "0"}${RS}`;

  it("numbers its calls alike, and stops once it has bytes and a close after its own Close", async () => {
    const { connectionToken } = await negotiate("signalr");
    const client = await bare(await open("signalr", connectionToken));
    client.socket.send(`{"protocol": "json", "version": 1}${RS}`);
    await client.said(`{}${RS}`);
    client.socket.send(call('"one"'));
    client.socket.send(call('"two"'));
    await client.said('{"type":3,"invocationId":"0","result":"one"}');
    await client.said('{"type":3,"invocationId":"0","result":"two"}');
    client.socket.send(`{"type": 7, "headers": {}}${RS}`);
    await client.said(`{"type":7}${RS}`);
    await expect.poll(client.closedWith).toBe(1000);
  });

  it("posts its handshake before its first poll", async () => {
    const { connectionToken } = await negotiate("signalr");
    const headers = { authorization: `Bearer ${await token("alice")}` };
    const url = `https://edge.example/hubs/signalr?id=${encodeURIComponent(connectionToken)}`;
    const request = async (init: RequestInit) => {
      const response = await exports.default.fetch(url, { ...init, headers });
      return [response.status, await response.text()];
    };
    const body = `{"protocol": "json", "version": 1}${RS}`;
    expect(await request({ method: "POST", body })).toEqual([200, ""]);
    expect(await request({ method: "GET" })).toEqual([200, ""]);
    expect(await request({ method: "GET" })).toEqual([200, `{}${RS}`]);
    expect(await request({ method: "DELETE" })).toEqual([202, ""]);
  });
});

it("a client whose serializer writes keys in Pascal case is understood", async () => {
  const { webSocket } = await upgrade(`/hubs/values?access_token=${await token("alice")}`);
  const client = await bare({ webSocket } as Response);
  client.socket.send(`{"protocol":"json","version":1}${RS}`);
  const at = "2026-01-02T03:04:05Z";
  const inner = `{"Tags":["a"],"IsOpen":true,"Note":null}`;
  const sample = `{"Title":"a","Count":1,"At":"${at}","Inner":${inner}}`;
  client.socket.send(
    `{"type":1,"invocationId":"1","target":"Sample","arguments":[${sample}]}${RS}`,
  );
  await client.said('"invocationId":"1","result":{');
  expect(client.heard.join("")).toContain('{"title":"a","count":1');
});

interface Parts {
  readonly connections: { get(id: string): { readonly resumable: unknown } };
}

const isResumable = (id: string) =>
  runInDurableObject(relayOf("resuming", id), (object) => {
    const { parts } = object as unknown as { parts: Parts };
    return parts.connections.get(id).resumable !== undefined;
  });

describe("version 2 of the protocol, not agreed on at negotiation", () => {
  it.each([
    ["where the client did not ask", ""],
    ["where it asked for false", "useStatefulReconnect=false"],
  ])("confirms nothing and sends everything, %s", async (_, query) => {
    using client = await connected("resuming", { query, version: 2 });
    const other = await connected("resuming", { user: "bob" });
    const text = "x".repeat(10_000);
    for (let i = 0; i < 30; i++)
      other.say({ type: 1, target: "SayTo", arguments: [[client.id], `${i}${text}`] });
    await expect.poll(() => client.texts.length).toBe(30);
    await client.call("Whoami");
    expect(await isResumable(client.id)).toBe(false);
    expect(client.heard.filter(({ type }) => type > 7)).toEqual([]);
    client.socket.close(3000);
    const again = await open("resuming", client.token);
    expect(again.status).toBe(404);
  });
});

it("a ping to an event stream that has ended is refused", async () => {
  const { connectionToken } = await negotiate("signalr");
  const url = `https://edge.example/hubs/signalr?id=${encodeURIComponent(connectionToken)}`;
  const authorization = `Bearer ${await token("alice")}`;
  const events = { headers: { authorization, accept: "text/event-stream" } };
  const reader = (await exports.default.fetch(url, events)).body!.getReader();
  const post = async (message: object) => {
    const init = { method: "POST", body: JSON.stringify(message) + RS, headers: { authorization } };
    const response = await exports.default.fetch(url, init);
    return [response.status, response.headers.get("x-dormouse-error")];
  };
  await post({ protocol: "json", version: 1 });
  expect(await post({ type: 6 })).toEqual([200, null]);
  await post({ type: 1, target: "Abort", arguments: [] });
  while (!(await reader.read()).done);
  expect(await post({ type: 6 })).toEqual([404, "connection_ended"]);
  vi.setSystemTime(Date.now() + 16_000);
  expect(await post({ type: 6 })).toEqual([404, "connection_ended"]);
  vi.useRealTimers();
});

it("the cancellation of a call that does not stream is ignored", async () => {
  using client = await connected("signalr");
  client.say({ type: 1, invocationId: "q", target: "Ask", arguments: ["sure?"] });
  const { invocationId } = await client.record((one) => one.target === "Confirm");
  client.say({ type: 5, invocationId: "q" });
  client.say({ type: 3, invocationId, result: true });
  expect(await client.record((one) => one.invocationId === "q")).toEqual({
    ...{ type: 3, invocationId: "q", result: true },
  });
});
