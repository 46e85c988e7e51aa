// SignalR's other two transports, by hand: what is answered when, and that no object is held awake.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { CLOSE as CODES } from "../../../src/model/errors.ts";
import { PING } from "../../../src/model/wire-constants.ts";
import { attachedOf } from "../../../src/rooms/connection/attachment.ts";
import type { RelayParts } from "../../../src/rooms/relay/relay-parts.ts";
import { roomAt, token as tokenOf } from "../client.ts";
import { range } from "../storage.ts";
import { connected, negotiate, post as negotiation, relayOf } from "./client.ts";

const RS = "\u001e";
const CLOSE = `{"type":7}${RS}`;
const HANDSHAKE = `{"protocol":"json","version":1}${RS}`;

async function visitor(hub: string, user = "alice", slash = "") {
  const { connectionId, connectionToken } = await negotiate(hub, { user });
  const authorization = `Bearer ${await tokenOf(user)}`;
  const url = `https://edge.example/hubs/${hub}${slash}?id=${encodeURIComponent(connectionToken)}`;
  const ask = (method: string, headers = {}, body?: string) =>
    exports.default.fetch(url, {
      method,
      headers: { authorization, ...headers },
      ...(body !== undefined && { body }),
    });
  return {
    id: connectionId,
    relay: relayOf(hub, connectionId),
    poll: () => ask("GET"),
    events: () => ask("GET", { accept: "text/event-stream" }),
    post: (text: string) => ask("POST", {}, text),
    remove: () => ask("DELETE"),
    connect: () => ask("GET", { upgrade: "websocket" }),
  };
}

const call = (target: string, ...args: unknown[]) =>
  `${JSON.stringify({ type: 1, invocationId: target, target, arguments: args })}${RS}`;

async function told(response: Promise<Response> | Response): Promise<[number, string]> {
  const { status, body } = await response;
  return [status, body ? await new Response(body).text() : ""];
}

/** Polls until this stands in what came. */
async function polledFor(poll: () => Promise<Response>, word: string): Promise<string> {
  let all = "";
  while (!all.includes(word)) {
    const [status, text] = await told(poll());
    if (status !== 200) throw new Error(`${status} after ${all}`);
    all += text;
  }
  return all;
}

/** Budgets get nothing back with time. */
function stopClock(): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  onTestFinished(() => void vi.useRealTimers());
}

describe("long polling", () => {
  async function polling(hub = "relayed", user = "alice") {
    const alice = await visitor(hub, user);
    expect(await told(alice.poll())).toEqual([200, ""]);
    expect((await alice.post(HANDSHAKE)).status).toBe(200);
    expect(await told(alice.poll())).toEqual([200, `{}${RS}`]);
    return alice;
  }

  it("answers the first poll at once, and later ones with what waits, in order", async () => {
    const alice = await polling();
    using bob = await connected("relayed", { user: "bob" });
    await alice.post(call("Join", "lp1"));
    await polledFor(alice.poll, '"invocationId":"Join"');
    await bob.call("Say", "lp1", "one");
    await bob.call("Say", "lp1", "two");
    const hanging = polledFor(alice.poll, '"three"');
    await bob.call("Say", "lp1", "three");
    const text = await hanging;
    const words = [...text.matchAll(/"arguments":\["(\w+)"\]/g)].map(([, word]) => word);
    expect(words).toEqual(["one", "two", "three"]);
  });

  it("keeps what is said between polls, also while the relay sleeps", async () => {
    const alice = await polling();
    using bob = await connected("relayed", { user: "bob" });
    await alice.post(call("Join", "lp2"));
    await polledFor(alice.poll, '"invocationId":"Join"');
    await evictDurableObject(alice.relay);
    await bob.call("Say", "lp2", "asleep");
    await evictDurableObject(alice.relay);
    expect(await polledFor(alice.poll, '"asleep"')).toContain("asleep");
  });

  it("takes a message in two posts, whatever polls come between them", async () => {
    const alice = await visitor("relayed");
    const pollsOfAlice = () =>
      runInDurableObject(
        alice.relay,
        (_, state) =>
          state.getWebSockets().filter((one) => attachedOf(one)?.id === alice.id).length,
      );
    await told(alice.poll());
    await alice.post(HANDSHAKE.slice(0, 9));
    const answer = told(alice.poll());
    await expect.poll(pollsOfAlice).toBe(1);
    await alice.post(HANDSHAKE.slice(9));
    expect(await answer).toEqual([200, `{}${RS}`]);
    const halved = call("Members", "lp4");
    await alice.post(call("Whoami") + halved.slice(0, 20));
    await polledFor(alice.poll, '"invocationId":"Whoami"');
    await alice.post(halved.slice(20));
    expect(await polledFor(alice.poll, '"invocationId":"Members"')).toContain('"connections":0');
  });

  it("gives up an older poll for a newer, with 204", async () => {
    const alice = await polling();
    using bob = await connected("relayed", { user: "bob" });
    await alice.post(call("Join", "lp3"));
    await polledFor(alice.poll, '"invocationId":"Join"');
    const old = told(alice.poll());
    await expect.poll(async () => (await bob.call("Members", "lp3")).result.connections).toBe(1);
    const young = polledFor(alice.poll, '"to the newer"');
    expect(await old).toEqual([204, ""]);
    await bob.call("Say", "lp3", "to the newer");
    expect(await young).toContain("to the newer");
  });

  it("is a flood where polls follow each other without end", async () => {
    stopClock();
    const { poll, post } = await visitor("pinched", "poller");
    await told(poll());
    await post(HANDSHAKE);
    const polls = Array.from({ length: 60 }, poll);
    const codes = (await Promise.all(polls)).map(({ headers }) => headers.get("x-dormouse-error"));
    expect(codes[0]).toBeNull();
    expect(codes).toContain("rate_limited");
    expect((await negotiation("/hubs/pinched/negotiate", "poller")).status).toBe(429);
  });

  it("is a flood where its client takes it over again and again", async () => {
    stopClock();
    const { connect } = await visitor("pinched", "resumer");
    const first = await connect();
    first.webSocket!.accept();
    const returns = Array.from({ length: 60 }, connect);
    const codes = (await Promise.all(returns)).map(({ headers }) =>
      headers.get("x-dormouse-error"),
    );
    expect(codes.filter((code) => code === "duplicate_id").length).toBeGreaterThan(20);
    expect(codes).toContain("rate_limited");
  });

  it("goes on where few messages are allowed, with a poll for each of many", async () => {
    const { poll, post } = await visitor("pinched", "reader");
    await told(poll());
    await post(HANDSHAKE);
    await told(poll());
    for (const n of range(1, 20)) {
      const polled = poll();
      await roomAt("pinched/user:reader").publish({ target: "said", params: `["${n}"]` });
      expect((await told(polled))[1]).toContain(`"${n}"`);
    }
  });

  it("ends by DELETE, by Close, and by silence; then there is no such connection", async () => {
    const alice = await polling();
    expect((await alice.remove()).status).toBe(202);
    expect((await alice.post(PING + PING)).status).toBe(404);
    const left = await told(alice.poll());
    expect(left).toEqual([200, CLOSE]);
    expect(await told(alice.poll())).toEqual([204, ""]);
    expect(await told(alice.poll())).toEqual([404, "No Connection with that ID"]);
    const bob = await polling("relayed", "bob");
    vi.setSystemTime(Date.now() + 16_000);
    await runDurableObjectAlarm(bob.relay);
    vi.useRealTimers();
    expect((await bob.post(call("Whoami"))).status).toBe(404);
  });

  it("gives the Close of a connection that ends while the relay is told what the poll answers with", async () => {
    const alice = await polling();
    await runInDurableObject(alice.relay, (object) => {
      const { parts } = object as unknown as { parts: RelayParts };
      const { polls, connections } = parts;
      const confirm = polls.confirm.bind(polls);
      polls.confirm = (connection) => {
        polls.confirm = confirm;
        connections.close(connection, CODES.aborted);
      };
    });
    await alice.post(call("Whoami"));
    const last = await polledFor(alice.poll, '"type":7');
    expect(last).toContain('"invocationId":"Whoami"');
    expect(await told(alice.poll())).toEqual([204, ""]);
  });

  /** A connection that has a megabyte to poll, all of one user's at one relay. */
  async function hoarder(room: string) {
    const mallory = await polling("relayed", "mallory");
    await mallory.post(call("Join", room));
    await polledFor(mallory.poll, '"invocationId":"Join"');
    const said = { target: "said", params: JSON.stringify(["x".repeat(200_000)]) };
    await roomAt(`relayed/group:${room}`).publishAll(Array.from({ length: 5 }, () => said));
    const waiting = () =>
      runInDurableObject(mallory.relay, (object) => {
        const { parts } = object as unknown as { parts: Pick<RelayParts, "connections"> };
        return parts.connections.get(mallory.id)!.held.frames;
      });
    await vi.waitUntil(async () => (await waiting()) > 1e6);
    return mallory;
  }

  it("holds no more than 8 MiB of connections that ended unread, and that for 15 s", async () => {
    const all: Awaited<ReturnType<typeof hoarder>>[] = [];
    for (const n of range(0, 10)) {
      // oxlint-disable-next-line no-await-in-loop -- each polls in its turn
      all.push(await hoarder(`hoard-${n}`));
    }
    for (const { remove } of all) expect((await remove()).status).toBe(202);
    const left = await Promise.all(all.map(({ poll }) => told(poll())));
    const bytes = left.reduce((sum, [, text]) => sum + text.length, 0);
    expect([bytes > 7e6, bytes <= 8 * 1024 * 1024 + 10 * CLOSE.length]).toEqual([true, true]);
    for (const [status, text] of left) expect([status, text.endsWith(CLOSE)]).toEqual([200, true]);
    vi.setSystemTime(Date.now() + 16_000);
    await runDurableObjectAlarm(all[0]!.relay);
    vi.useRealTimers();
    expect(await told(all[0]!.poll())).toEqual([404, "No Connection with that ID"]);
  });

  it("holds 20 hanging polls over sleeping objects", async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) => polling("relayed", `poller-${i}`)),
    );
    const polls = all.map(({ poll }) => told(poll()));
    using bob = await connected("relayed", { user: "bob" });
    await evictDurableObject(all[0]!.relay);
    await expect(evictDurableObject(all[0]!.relay)).rejects.toThrow(/not .*running/i);
    await bob.call("SayAll", "wake up");
    for (const [status, text] of await Promise.all(polls))
      expect([status, text.includes("wake up")]).toEqual([200, true]);
  });
});

describe("SignalR's events", () => {
  async function listening(hub = "relayed", user = "alice") {
    const alice = await visitor(hub, user);
    const response = await alice.events();
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    onTestFinished(() => reader.cancel().catch(() => {}));
    let text = "";
    const until = async (word: string): Promise<string> => {
      while (!text.includes(word)) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`The stream ended after ${text}`);
        text += value;
      }
      return text;
    };
    expect(await until("\n")).toMatch(/^:\r\n/);
    expect((await alice.post(HANDSHAKE)).status).toBe(200);
    await until(`data: {}${RS}\r\n\r\n`);
    return { ...alice, response, until, reader };
  }

  it("carry all that a hub says, and calls go by POST", async () => {
    const alice = await listening();
    using bob = await connected("relayed", { user: "bob" });
    expect(alice.response.headers.get("content-type")).toBe("text/event-stream");
    expect(alice.response.headers.get("cache-control")).toMatch(/no-store.*no-transform/);
    await alice.post(call("Join", "sse1"));
    await alice.until('"invocationId":"Join"');
    await evictDurableObject(alice.relay);
    vi.setSystemTime(Date.now() + 16_000);
    // The first tells the relay that alice lives; it is left asleep by the next.
    expect((await alice.post(PING)).status).toBe(200);
    await evictDurableObject(alice.relay);
    vi.setSystemTime(Date.now() + 15_000);
    expect((await alice.post(PING)).status).toBe(200);
    vi.useRealTimers();
    await expect(evictDurableObject(alice.relay)).rejects.toThrow(/not .*running/i);
    await bob.call("Say", "sse1", "hello");
    expect(await alice.until('"hello"')).toContain(
      `data: {"type":1,"target":"Said","arguments":["hello"]}${RS}\r\n\r\n`,
    );
  });

  it("end with their reader, and refuse what is not theirs", async () => {
    const alice = await listening();
    using bob = await connected("relayed", { user: "bob" });
    expect((await alice.events()).status).toBe(409);
    expect(await told(alice.poll())).toEqual([400, "Cannot change transports mid-connection"]);
    expect(await told(alice.remove())).toEqual([
      400,
      "Cannot terminate this connection using the DELETE endpoint.",
    ]);
    await alice.post(call("Join", "sse2"));
    await alice.until('"invocationId":"Join"');
    await alice.reader.cancel();
    await expect.poll(async () => (await bob.call("Members", "sse2")).result.connections).toBe(0);
    expect((await alice.post(call("Whoami"))).status).toBe(404);
  });

  it("carry no MessagePack", async () => {
    const alice = await visitor("relayed");
    const response = await alice.events();
    await alice.post(`{"protocol":"messagepack","version":1}${RS}`);
    const text = await response.text();
    expect(text).toContain("The transport does not support 'Binary' transfer format.");
  });
});

describe("what is posted before the transport begins", () => {
  const first = HANDSHAKE + call("Whoami");

  it("is answered by the polls that follow, in order", async () => {
    const alice = await visitor("relayed");
    expect(await told(alice.post(HANDSHAKE))).toEqual([200, ""]);
    expect(await told(alice.post(call("Whoami")))).toEqual([200, ""]);
    expect(await told(alice.poll())).toEqual([200, ""]);
    const text = await polledFor(alice.poll, '"invocationId":"Whoami"');
    expect(text.startsWith(`{}${RS}`)).toBe(true);
  });

  it("is answered by the stream of events that follows", async () => {
    const alice = await visitor("relayed");
    await alice.post(first);
    const reader = (await alice.events()).body!.pipeThrough(new TextDecoderStream()).getReader();
    onTestFinished(() => reader.cancel().catch(() => {}));
    let text = "";
    while (!text.includes('"invocationId":"Whoami"')) text += (await reader.read()).value;
    expect(text).toContain(`data: {}${RS}`);
  });

  it("is answered on the socket that follows", async () => {
    const alice = await visitor("relayed");
    await alice.post(HANDSHAKE);
    const { webSocket } = await alice.connect();
    const { promise, resolve } = Promise.withResolvers<unknown>();
    webSocket!.addEventListener("message", ({ data }) => resolve(data), { once: true });
    webSocket!.accept();
    expect(await promise).toBe(`{}${RS}`);
    webSocket!.close(1000);
  });

  it("waits within a limit, and as long as a negotiation is good", async () => {
    const alice = await visitor("relayed");
    for (let posts = 0; posts < 2; posts++)
      expect((await alice.post(" ".repeat(30_000))).status).toBe(200);
    const response = await alice.post(" ".repeat(30_000));
    expect([response.status, response.headers.get("x-dormouse-error")]).toEqual([413, "too_large"]);
    expect(await told(alice.remove())).toEqual([
      400,
      "Cannot terminate this connection using the DELETE endpoint.",
    ]);
    vi.setSystemTime(Date.now() + 16_000);
    expect(await told(alice.post(HANDSHAKE))).toEqual([404, "No Connection with that ID"]);
    expect(await told(alice.poll())).toEqual([404, "No Connection with that ID"]);
    vi.useRealTimers();
  });
});

describe("a slash at the end of the hub's URL", () => {
  it("changes nothing, on any transport", async () => {
    for (const ask of ["poll", "events", "connect"] as const) {
      const alice = await visitor("relayed", "alice", "/");
      const response = await alice[ask]();
      expect([200, 101]).toContain(response.status);
      response.webSocket?.accept();
      response.webSocket?.close(1000);
      await response.body?.cancel();
    }
    const path = "https://edge.example/hubs/relayed/negotiate/?negotiateVersion=1";
    const headers = { authorization: `Bearer ${await tokenOf("alice")}` };
    expect((await exports.default.fetch(path, { method: "POST", headers })).status).toBe(200);
  });
});

it("logs nothing of a Close and a DELETE that cross, and a line for a token that is none", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const alice = await visitor("relayed");
  await told(alice.poll());
  await alice.post(HANDSHAKE);
  await told(alice.poll());
  expect((await alice.remove()).status).toBe(202);
  const late = await alice.post(`{"type":7}${RS}`);
  expect([late.status, late.headers.get("x-dormouse-error")]).toEqual([404, "connection_ended"]);
  expect((await alice.remove()).status).toBe(404);
  expect(warn).not.toHaveBeenCalled();
  const headers = { authorization: `Bearer ${await tokenOf("bob")}` };
  const forged = `https://edge.example/hubs/relayed?id=${encodeURIComponent(alice.id)}`;
  await exports.default.fetch(forged, { method: "POST", headers, body: call("Whoami") });
  expect(warn.mock.calls.map(([line]) => JSON.parse(line as string))).toEqual([
    expect.objectContaining({ event: "refused", status: 404, code: "connection_not_found" }),
  ]);
});
