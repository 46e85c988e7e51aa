// Each function of a backend: the request that it sends, and its result for a given response. One table, to be read as
// the contract.

import { describe, expect, it } from "vitest";
import type { Backend } from "../../../src/client/backend/index.ts";
import { API, endpoint, orders, refusal, type Answer, type OrderHub } from "./endpoint.ts";

type Call = (hub: Backend<OrderHub>) => unknown;
type Row = [name: string, call: Call, asks: string, body: unknown, answer: Answer, gives: unknown];

const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
};

const AT = { epoch: "e1", offset: 7 };
const PUBLICATION = { target: "orderStatusChanged", arguments: ["42", "shipped"] };
const KEYED = { ...PUBLICATION, idempotency_key: "k" };
const keyed = (hub: Backend<OrderHub>) => hub.with({ idempotencyKey: "k" }).clients;
const publishTo = (to: { orderStatusChanged(id: string, status: string): Promise<void> }) =>
  to.orderStatusChanged("42", "shipped");

const SENDS: Row[] = [
  ["all", (h) => publishTo(keyed(h).all), "POST /rooms/all/:publish", KEYED, AT, undefined],
  [
    "an order",
    (h) => publishTo(keyed(h).order("42")),
    "POST /rooms/order%3A42/:publish",
    KEYED,
    AT,
    undefined,
  ],
  [
    "a group of any name",
    (h) => publishTo(keyed(h).group("a/b?c#%20 é")),
    "POST /rooms/group%3Aa%2Fb%3Fc%23%2520%20%C3%A9/:publish",
    KEYED,
    AT,
    undefined,
  ],
  [
    "a user but for some connections",
    (h) => publishTo(keyed(h).except("c1").except("c2").user("bob")),
    "POST /rooms/user%3Abob/:publish",
    { ...KEYED, excluded: ["c1", "c2"] },
    AT,
    undefined,
  ],
  [
    "several at once",
    (h) => publishTo(keyed(h).group("a", "b", "a")),
    "POST /:broadcast",
    { rooms: ["group:a", "group:b"], ...KEYED },
    { responses: [{ result: AT }, { result: AT }] },
    undefined,
  ],
  [
    "a connection",
    (h) => publishTo(h.clients.connection("c/1").send),
    "POST /connections/c%2F1/:send",
    PUBLICATION,
    202,
    undefined,
  ],
  [
    "a connection, which answers",
    (h) => h.clients.connection("c1").invoke.confirm("?"),
    "POST /connections/c1/:invoke",
    { target: "confirm", arguments: ["?"] },
    { result: true },
    true,
  ],
  [
    "by name",
    (h) =>
      h.publish("order:42", "orderStatusChanged", ["42", "shipped"], {
        ...{ idempotencyKey: "k", except: ["c1"] },
      }),
    "POST /rooms/order%3A42/:publish",
    { ...KEYED, excluded: ["c1"] },
    AT,
    "e1:7",
  ],
  [
    "bytes and dates, as JSON has them",
    (h) =>
      h.with({ idempotencyKey: "k" }).clients.all.photographed(new Uint8Array([1, 2]), new Date(0)),
    "POST /rooms/all/:publish",
    {
      ...{ target: "photographed", arguments: ["AQI=", "1970-01-01T00:00:00.000Z"] },
      idempotency_key: "k",
    },
    AT,
    undefined,
  ],
];

const PAGE = {
  presence: [{ user: "bob", since: 5, num_clients: 2, state: { typing: true } }],
  ...{ num_clients: 3, num_users: 2, more: true },
};
const ROOM = "/rooms/group%3Alobby";

const ROOMS: Row[] = [
  ["add", (h) => h.group("lobby").add("c1"), `PUT ${ROOM}/connections/c1`, undefined, 200, true],
  [
    "add of nobody",
    (h) => h.order("42").add("c1"),
    "PUT /rooms/order%3A42/connections/c1",
    undefined,
    refusal(404, "connection_not_found"),
    false,
  ],
  [
    "remove",
    (h) => h.group("lobby").remove("c1"),
    `DELETE ${ROOM}/connections/c1`,
    undefined,
    200,
    true,
  ],
  [
    "history",
    (h) => h.group("lobby").history({ limit: 2, since: "e1:5", reverse: true }),
    `GET ${ROOM}/history?limit=2&since=e1%3A5&reverse=true`,
    undefined,
    { publications: [{ offset: 6, ...PUBLICATION, at: 9 }], ...AT },
    {
      messages: [
        { method: PUBLICATION.target, params: PUBLICATION.arguments, position: "e1:6", at: 9 },
      ],
      position: "e1:7",
    },
  ],
  [
    "clearHistory",
    (h) => h.group("lobby").clearHistory(),
    `DELETE ${ROOM}/history`,
    undefined,
    204,
    undefined,
  ],
  [
    "presence.list",
    (h) => h.group("lobby").presence.list({ after: "al", limit: 1 }),
    `GET ${ROOM}/presence?after=al&limit=1`,
    undefined,
    PAGE,
    {
      ...{ users: 2, connections: 3, more: true },
      members: [{ userId: "bob", since: 5, connections: 2, state: { typing: true } }],
    },
  ],
  [
    "presence.count",
    (h) => h.user("bob").presence.count(),
    "GET /rooms/user%3Abob/presence_stats",
    undefined,
    { num_clients: 3, num_users: 2 },
    { users: 2, connections: 3 },
  ],
  [
    "info",
    (h) => h.group("lobby").info(),
    `GET ${ROOM}`,
    undefined,
    {
      room: "group:lobby",
      ...AT,
      num_clients: 3,
      num_users: 2,
      messages_per_second: 1.5,
      has_state: true,
    },
    { position: "e1:7", users: 2, connections: 3, messagesPerSecond: 1.5, hasState: true },
  ],
  [
    "erase",
    (h) => h.group("lobby").erase(),
    `DELETE ${ROOM}`,
    undefined,
    { epoch: "e2", offset: 0 },
    "e2:0",
  ],
  [
    "close",
    (h) => h.group("lobby").close({ reason: "bye now", except: ["c1", "c2"] }),
    `POST ${ROOM}/:closeConnections?reason=bye+now&excluded=c1&excluded=c2`,
    ...([undefined, 204, undefined] as const),
  ],
  [
    "rooms",
    (h) => all(h.rooms({ prefix: "order:", pageSize: 1 })),
    "GET /rooms?prefix=order%3A&limit=1",
    undefined,
    { rooms: [{ room: "order:1", num_clients: 2, active_at: 9 }], more: false },
    [{ room: "order:1", connections: 2, activeAt: 9 }],
  ],
];

const PEOPLE: Row[] = [
  [
    "addUser",
    (h) => h.group("lobby").addUser("bob", { ttlSeconds: 60 }),
    "PUT /users/bob/groups/lobby?ttl=60",
    ...([undefined, 200, undefined] as const),
  ],
  [
    "removeUser",
    (h) => h.group("lobby").removeUser("bob"),
    "DELETE /users/bob/groups/lobby",
    undefined,
    204,
    undefined,
  ],
  [
    "a group's isConnected",
    (h) => h.group("lobby").isConnected(),
    "HEAD /groups/lobby",
    undefined,
    404,
    false,
  ],
  [
    "a user's isConnected",
    (h) => h.user("bob").isConnected(),
    "HEAD /users/bob",
    undefined,
    200,
    true,
  ],
  [
    "disconnect",
    (h) => h.user("a b").disconnect({ reason: "left" }),
    "POST /users/a%20b/:closeConnections?reason=left",
    ...([undefined, 204, undefined] as const),
  ],
  [
    "revoke, in whole seconds and none too few",
    (h) => h.user("bob").revoke({ issuedBefore: new Date(1_001), expireAt: new Date(9_000) }),
    "POST /users/bob/:revoke",
    { issued_before: 2, expire_at: 9 },
    ...([200, undefined] as const),
  ],
  [
    "revoke of one token",
    (h) => h.user("bob").revoke({ jti: "j" }),
    "POST /users/bob/:revoke",
    { jti: "j" },
    200,
    undefined,
  ],
  [
    "ban",
    (h) => h.user("bob").ban({ seconds: 60, reason: "spam" }),
    "POST /users/bob/:ban",
    { seconds: 60, reason: "spam" },
    ...([204, undefined] as const),
  ],
  ["unban", (h) => h.user("bob").unban(), "POST /users/bob/:unban", undefined, 204, undefined],
  ["exists", (h) => h.connection("c1").exists(), "HEAD /connections/c1", undefined, 404, false],
  [
    "a connection's disconnect",
    (h) => h.connection("c1").disconnect({ reason: "left" }),
    "DELETE /connections/c1?reason=left",
    ...([undefined, 200, undefined] as const),
  ],
  [
    "disconnect of one that is gone",
    (h) => h.connection("c1").disconnect(),
    "DELETE /connections/c1",
    undefined,
    refusal(404, "connection_not_found"),
    undefined,
  ],
  [
    "negotiate",
    (h) => h.negotiate({ userId: "bob", ttlMinutes: 5 }),
    "POST /:generateToken?userId=bob&minutesToExpire=5",
    undefined,
    { token: "jwt" },
    { url: "https://h.example/client/?hub=orders", accessToken: "jwt" },
  ],
];

describe.each([
  ["a send to", SENDS],
  ["of a room,", ROOMS],
  ["of people,", PEOPLE],
])("%s", (_, rows) => {
  it.each(rows)("%s", async (...row) => {
    const [, call, asks, body, answer, gives] = row;
    const fake = endpoint(answer);
    const result = await call(orders(fake));
    const [method, path] = asks.split(" ", 2);
    const json = body === undefined ? {} : { "content-type": "application/json" };
    expect(fake.requests).toEqual([
      {
        ...{ method, url: `${API}${path}`, body },
        headers: { accept: "application/json", authorization: "Bearer t", ...json },
      },
    ]);
    expect(result).toEqual(gives);
  });
});

describe("a backend", () => {
  it("gives each thing said a key of its own", async () => {
    const fake = endpoint(AT);
    const { clients } = orders(fake);
    await publishTo(clients.all);
    await publishTo(clients.all);
    const keys = fake.requests.map(({ body }) => (body as typeof KEYED).idempotency_key);
    expect(new Set(keys).size).toBe(2);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("tells several connections, each by itself and once", async () => {
    const fake = endpoint(202);
    await publishTo(orders(fake).clients.connections("c1", "c2", "c1"));
    expect(fake.requests.map(({ url }) => url)).toEqual([
      `${API}/connections/c1/:send`,
      `${API}/connections/c2/:send`,
    ]);
  });

  it("asks nothing where nobody is named", async () => {
    const fake = endpoint(AT);
    await publishTo(orders(fake).clients.group());
    await publishTo(orders(fake).clients.connections());
    expect(fake.requests).toEqual([]);
  });

  it("names at most 100 rooms in one request", async () => {
    const fake = endpoint({ responses: [] });
    await publishTo(orders(fake).clients.order(...Array.from({ length: 201 }, (_, i) => `${i}`)));
    expect(fake.requests.map(({ body }) => (body as { rooms: string[] }).rooms.length)).toEqual([
      100, 100, 1,
    ]);
  });

  it("says of a broadcast which rooms were not told", async () => {
    const error = { code: "internal", message: "It broke." };
    const fake = endpoint({ responses: [{ result: AT }, { error }, { error }] });
    await expect(publishTo(orders(fake).clients.order("1", "2", "3"))).rejects.toMatchObject({
      code: "internal",
      message: "2 of 3 rooms were not reached; of order:2: It broke.",
    });
  });

  it("goes through all pages of rooms", async () => {
    const entry = (room: string) => ({ room, num_clients: 1, active_at: 1 });
    const fake = endpoint(
      { rooms: [entry("order:1"), entry("order:2")], more: true },
      { rooms: [entry("order:3")], more: false },
    );
    const rooms = await all(orders(fake).rooms());
    expect(rooms.map(({ room }) => room)).toEqual(["order:1", "order:2", "order:3"]);
    expect(fake.requests.map(({ url }) => url)).toEqual([
      `${API}/rooms`,
      `${API}/rooms?after=order%3A2`,
    ]);
  });

  it("goes through all pages of a group's connections, and follows no link elsewhere", async () => {
    const [one, two] = [{ connectionId: "c1", userId: "al" }, { connectionId: "c2" }];
    const fake = endpoint(
      { value: [one], nextLink: "https://evil.example/?continuationToken=next" },
      { value: [two] },
    );
    expect(await all(orders(fake).group("lobby").connections())).toEqual([one, two]);
    expect(fake.requests.map(({ url }) => url)).toEqual([
      `${API}/groups/lobby/connections`,
      `${API}/groups/lobby/connections?continuationToken=next`,
    ]);
  });

  it.each<[string, Call, string]>([
    ["no room's name", (h) => h.group(""), "invalid_name"],
    ["a name of dots", (h) => h.user(".."), "invalid_name"],
    ["a connection of dots", (h) => h.connection(".."), "invalid_name"],
    [
      "no connection",
      (h) => h.clients.connection("").send.orderStatusChanged("", ""),
      "invalid_name",
    ],
    ["no kind", (h) => h.publish("lobby" as "all", "confirm", ["?"]), "room_kind_not_found"],
  ])("refuses %s before it asks", async (_, call, code) => {
    const fake = endpoint(200);
    await expect((async () => call(orders(fake)))()).rejects.toMatchObject({ code });
    expect(fake.requests).toEqual([]);
  });
});
