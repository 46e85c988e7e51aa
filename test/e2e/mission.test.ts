// The snippets of test/mission in JavaScript, as they are, against the sample hubs of the real endpoint.

import { JsonHubProtocol, type HubConnection } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import PageEventSource from "eventsource";
import { JSONRPCErrorException } from "json-rpc-2.0";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { overHttp, overWebSocket } from "../mission/calculator.ts";
import { chat } from "../mission/chat.ts";
import { notifications } from "../mission/notifications.ts";
import { orderEvents } from "../mission/order-events.ts";
import { party } from "../mission/party.ts";
import { prices } from "../mission/prices.ts";
import type { Snippet } from "../mission/snippet.ts";
import type { Endpoint } from "../support/endpoint.ts";
import { sharedEndpoint } from "../support/shared-endpoint.ts";
import { Inbox } from "./json-rpc/sockets.ts";

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await sharedEndpoint();
  vi.stubGlobal("EventSource", PageEventSource);
  vi.spyOn(console, "info").mockImplementation(() => {});
});

/** One user's snippet, and what it has shown. */
class Seen implements Snippet {
  readonly url = endpoint.url;
  readonly token: string;
  readonly #inbox = new Inbox<readonly unknown[]>();
  readonly seen = (...what: unknown[]): void => this.#inbox.add(what);

  constructor(token: string) {
    this.token = token;
  }
  /** The next of this kind; others before it are passed over. */
  next(what: string): Promise<readonly unknown[]> {
    return this.#inbox.next(what, ([kind]) => kind === what);
  }
  get all() {
    return this.#inbox.all;
  }
}

const seenBy = async (user: string, claims = {}) => new Seen(await endpoint.token(user, claims));

/** Stopped at the end of the test, also of one that failed. */
const stopping = (connection: HubConnection): HubConnection => {
  onTestFinished(() => connection.stop());
  return connection;
};

const PROTOCOLS = [new JsonHubProtocol(), new MessagePackHubProtocol()] as const;

describe.each(PROTOCOLS)("the mission's snippets in $name", (protocol) => {
  const own = (name: string) => `${name}-${protocol.name}`;
  /** A record as its protocol has it: MessagePack names members in PascalCase, as .NET does. */
  const record = (members: Record<string, string>) =>
    protocol.name === "json"
      ? members
      : Object.fromEntries(
          Object.entries(members).map(([key, value]) => [
            key.charAt(0).toUpperCase() + key.slice(1),
            value,
          ]),
        );

  it("notify groups, users and the followers of an order", async () => {
    const [ada, boss] = [await seenBy(own("ada")), await seenBy(own("boss"), { role: "Admin" })];
    const connection = stopping(await notifications(ada, protocol, 42));
    const message = {
      ...{ title: "Alert", body: "Server load high", severity: "Warning" },
      timestamp: "2026-11-29T15:35:28.123Z",
    };
    await connection.invoke("SendToUser", own("ada"), message);
    expect(await ada.next("notification")).toEqual(["notification", record(message)]);
    stopping(await notifications(boss, protocol, own("order")));
    await push("notifications", "groups", "order-42", ["42", "shipped"]);
    expect(await ada.next("order")).toEqual(["order", "42", "shipped"]);
    await push("notifications", "groups", `user:${own("ada")}`, ["43", "paid"]);
    expect(await ada.next("order")).toEqual(["order", "43", "paid"]);
    const stream = (protocol.name === "json" ? prices : packedPrices)(connection, ada);
    expect(await ada.next("price")).toEqual(["price", "AAPL", expect.any(Number)]);
    stream.dispose();
    await connection.invoke("LeaveOrderGroup", "42");
  });

  it("chat, and say at once who comes and who leaves", async () => {
    const [ada, bob] = [await seenBy(own("ada")), await seenBy(own("bob"))];
    stopping(await chat(ada, protocol));
    expect(await ada.next("message")).toEqual(["message", own("ada"), "Hello!"]);
    const phone = await chat(bob, protocol);
    for (const what of ["joined", "message"]) expect((await ada.next(what))[1]).toBe(own("bob"));
    const laptop = await chat(bob, protocol);
    expect(await ada.next("joined")).toEqual(["joined", own("bob")]);
    await phone.invoke("LeaveRoom", "general");
    expect(await ada.next("left")).toEqual(["left", own("bob")]);
    await phone.stop();
    const began = performance.now();
    await laptop.invoke("LeaveRoom", "general");
    expect(await ada.next("left")).toEqual(["left", own("bob")]);
    await laptop.invoke("JoinRoom", "general");
    await laptop.stop();
    expect(await ada.next("left")).toEqual(["left", own("bob")]);
    expect(performance.now() - began).toBeLessThan(5_000); // Two leaves; the grace of one alone is 5 s.
  });
});

/** `prices` for MessagePack, which names members in PascalCase. */
const packedPrices = (connection: HubConnection, { seen }: Snippet) =>
  connection.stream<{ Symbol: string; Price: number }>("StreamPrices", "AAPL").subscribe({
    next: ({ Symbol, Price }) => seen("price", Symbol, Price),
    error: (error) => seen("error", error),
    complete: () => seen("complete"),
  });

/** A back end's push to a group, by REST. */
async function push(hub: string, kind: string, name: string, args: unknown[]): Promise<void> {
  const token = await endpoint.token("service", { role: "service" });
  const response = await fetch(
    `${endpoint.url}/api/hubs/${hub}/${kind}/${encodeURIComponent(name)}/:send`,
    {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ target: "orderStatusChanged", arguments: args }),
    },
  );
  expect(response.status).toBe(202);
}

it("orders are a feed at /events/orders", async () => {
  const [ada, staff] = [await seenBy("ada"), await seenBy("staff", { role: "Manager" })];
  const source = orderEvents(ada);
  const connected = Promise.withResolvers<void>();
  source.addEventListener("connected", () => connected.resolve());
  await Promise.all([ada.next("open"), connected.promise]);
  const response = await fetch(`${endpoint.url}/hubs/orders/rpc`, {
    method: "POST",
    headers: { authorization: `Bearer ${staff.token}`, "content-type": "application/json" },
    body: JSON.stringify({
      ...{ jsonrpc: "2.0", id: 1, method: "updateOrderStatus", params: [42, "shipped"] },
    }),
  });
  expect(await response.json()).toMatchObject({ id: 1, result: null });
  expect(await ada.next("order")).toEqual(["order", 42, "shipped"]);
  source.close();
});

describe("the calculator at /jsonrpc", () => {
  it.each(["WebSocket", "HTTP"])("adds and divides over %s", async (transport) => {
    const ada = await seenBy("ada");
    const { client, socket } =
      transport === "HTTP" ? { client: overHttp(ada), socket: undefined } : overWebSocket(ada);
    expect(await client.request("add", [2, 3])).toBe(5);
    expect(await client.request("Add", { b: 3, a: 2 })).toBe(5);
    for (const method of ["DivideAsync", "divide", "Divide"])
      expect(await client.request(method, { a: 6, b: 3 })).toBe(2);
    const divided: unknown = await client.request("DivideAsync", [1, 0]).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(divided).toBeInstanceOf(JSONRPCErrorException);
    expect(divided).toMatchObject({ message: "Cannot divide by zero." });
    await expect(client.request("add", { a: 2, c: 3 })).rejects.toMatchObject({ code: -32602 });
    socket?.close();
  });
});

it("a PartySocket is in its room", async () => {
  const [ada, bob] = [await seenBy("ada"), await seenBy("bob")];
  const [one, other] = [party(ada), party(bob)];
  await Promise.all([ada.next("$/connected"), bob.next("$/connected")]);
  other.send(
    JSON.stringify({ jsonrpc: "2.0", method: "sendToRoom", params: ["general", "Hello!"] }),
  );
  expect(await ada.next("receiveMessage")).toEqual(["receiveMessage", "bob", "Hello!"]);
  for (const socket of [one, other]) socket.close();
});
