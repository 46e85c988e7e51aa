// The HTTP side: negotiation, who may come with which id, and the answers which clients show
// (docs/design/signalr-transports.md#ng2, #tp2).

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../../support/endpoint.ts";
import { sharedEndpoint } from "../../support/shared-endpoint.ts";
import { within } from "../client.ts";
import { guest, messageOf, ROWS } from "./connections.ts";
import { greeted, open, refused } from "./raw.ts";

const HUB = "chat";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

interface Asked {
  readonly path?: string;
  readonly query?: string;
  readonly method?: string;
  readonly user?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask({ path = HUB, query = "", method = "POST", user = "alice", headers }: Asked) {
  const authorization = `Bearer ${await endpoint.token(user)}`;
  return fetch(`${endpoint.url}/hubs/${path}${query}`, {
    method,
    headers: { authorization, ...headers },
  });
}

const told = async (asked: Asked): Promise<[status: number, text: string]> => {
  const response = await ask(asked);
  return [response.status, await response.text()];
};

interface Negotiated {
  readonly connectionId: string;
  readonly connectionToken: string;
}

async function negotiate(query = "?negotiateVersion=1"): Promise<Negotiated> {
  const response = await ask({ path: `${HUB}/negotiate`, query });
  return (await response.json()) as Negotiated;
}

const ID = expect.stringMatching(/^[\w-]{22}/);
const SECONDS = expect.any(Number);
/** In the order in which clients shall try them. */
const TRANSPORTS = [
  { transport: "WebSockets", transferFormats: ["Text", "Binary"] },
  { transport: "ServerSentEvents", transferFormats: ["Text"] },
  { transport: "LongPolling", transferFormats: ["Text", "Binary"] },
];

describe("negotiation", () => {
  it.each([
    ["?negotiateVersion=1", 1],
    ["?NegotiateVersion=1", 1],
    ["?negotiateVersion=7", 1],
    ["", 0],
    ["?negotiateVersion=0", 0],
  ])("of %s gives version %d", async (query, negotiateVersion) => {
    expect(await negotiate(query)).toEqual({
      ...{ negotiateVersion, connectionId: ID, availableTransports: TRANSPORTS },
      ...(negotiateVersion > 0 && {
        connectionToken: ID,
        tokenLifetimeSeconds: SECONDS,
      }),
    });
  });

  it("keeps the token apart from the id from version 1 on", async () => {
    const { connectionId, connectionToken } = await negotiate();
    expect(connectionToken).not.toBe(connectionId);
    expect(await refused(endpoint, { hub: HUB, id: connectionId })).toEqual(NOT_FOUND);
  });

  it.each([
    ["abc", "The client requested a non-integer protocol version."],
    ["1.5", "The client requested a non-integer protocol version."],
    ["", "The client requested a non-integer protocol version."],
    ["-1", "The client requested version '-1', but the server does not support this version."],
  ])("of version '%s' is an error in the body", async (version, error) => {
    expect(await told({ path: `${HUB}/negotiate`, query: `?negotiateVersion=${version}` })).toEqual(
      [200, JSON.stringify({ error })],
    );
  });

  it("does not offer stateful reconnect where the hub does not allow it", async () => {
    const query = "?negotiateVersion=1&useStatefulReconnect=true";
    expect(await negotiate(query)).not.toHaveProperty("useStatefulReconnect");
  });

  it.each([
    ["without a token", { headers: { authorization: "" } }, 401, "token_missing"],
    ["with a broken token", { headers: { authorization: "Bearer x.y.z" } }, 401, "token_malformed"],
    ["from another page", { headers: { origin: "https://evil.example" } }, 403, "forbidden_origin"],
  ])("is refused %s", async (_, asked, status, code) => {
    const [found, text] = await told({ path: `${HUB}/negotiate`, ...asked });
    expect([found, JSON.parse(`${text}`).error.code]).toEqual([status, code]);
  });

  it("is refused to whom the hub is not for, or where there is none", async () => {
    expect((await ask({ path: "admin/negotiate" })).status).toBe(403);
    expect((await ask({ path: "nowhere/negotiate" })).status).toBe(404);
  });

  it("is refused by a word that clients show", async () => {
    const row = ROWS.find(({ options }) => !options.skipNegotiation)!;
    const { connection } = guest({
      endpoint: { ...endpoint, token: async () => "x.y.z" },
      ...{ row, hub: HUB },
    });
    const message = await messageOf(connection.start());
    expect(message).toMatch(/^Failed to complete negotiation with the server: Error: .*'401'$/);
    expect(message).toContain('"message":"The token is not a signed JWT."');
  });
});

const NOT_FOUND = { status: 404, text: "No Connection with that ID" };

describe("an id", () => {
  it("lets in its user once", async () => {
    const { connectionToken: id } = await negotiate();
    using first = await greeted(endpoint, { hub: HUB, id });
    expect(await refused(endpoint, { hub: HUB, id })).toEqual({ status: 409, text: "" });
    first.socket.close(1000);
    await within(first.closed, "the end");
    expect(await refused(endpoint, { hub: HUB, id })).toEqual(NOT_FOUND);
  });

  it("of version 0 is the token as well", async () => {
    const { connectionId: id } = await negotiate("");
    using raw = await greeted(endpoint, { hub: HUB, id });
    expect(raw.heard).toEqual([{}]);
  });

  it("lets in nobody else: another user, a user of another tenant, a user of another hub", async () => {
    const { connectionToken: id } = await negotiate();
    for (const other of [{ user: "bob" }, { claims: { tid: "other" } }, { hub: "prices" }])
      expect(await refused(endpoint, { hub: HUB, id, ...other })).toEqual(NOT_FOUND);
    using alice = await greeted(endpoint, { hub: HUB, id });
    expect(alice.heard).toEqual([{}]);
  });

  it.each(["nothing", "a@relay:any.0.0", `${"x".repeat(22)}@relay:any.0.0`, "x@relay:mars.0.0"])(
    "that is made up, such as %s, lets in nobody",
    async (id) => {
      expect(await refused(endpoint, { hub: HUB, id })).toEqual(NOT_FOUND);
      for (const method of ["POST", "DELETE"])
        expect(await told({ method, query: `?id=${id}` })).toEqual([404, NOT_FOUND.text]);
    },
  );

  it("is not needed by a WebSocket, and by everything else", async () => {
    using raw = await open(endpoint, { hub: HUB });
    expect(raw.socket.readyState).toBe(1);
    for (const method of ["POST", "DELETE"])
      expect(await told({ method })).toEqual([400, "Connection ID required"]);
  });

  it("of a WebSocket takes no messages by POST, and no end by DELETE", async () => {
    const { connectionToken } = await negotiate();
    using raw = await greeted(endpoint, { hub: HUB, id: connectionToken });
    const query = `?id=${encodeURIComponent(connectionToken)}`;
    expect([
      await told({ method: "POST", query }),
      await told({ method: "DELETE", query }),
      (await told({ method: "PUT", query }))[0],
      await told({ method: "POST", query, user: "bob" }),
    ]).toEqual([
      [405, "POST requests are not allowed for WebSocket connections."],
      [400, "Cannot terminate this connection using the DELETE endpoint."],
      405,
      [404, "No Connection with that ID"],
    ]);
    expect(raw.socket.readyState).toBe(1);
  });
});
