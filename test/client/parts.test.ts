// Pure functions of the client, by tables: addresses, pauses, renewal of tokens, and presence.

import { describe, expect, it } from "vitest";
import { addressOf } from "../../src/client/model/room-address.ts";
import { pauseMs } from "../../src/client/transport/backoff.ts";
import { isTemporary } from "../../src/client/model/refusal.ts";
import { ERRORS } from "../../src/model/error-table.ts";
import { shouldRetry } from "../../src/model/errors.ts";
import { renewInMs } from "../../src/client/transport/credentials.ts";
import { applyChange, presenceOf } from "../../src/client/model/room-presence.ts";

describe("the code of a refused call", () => {
  it("is passing where its HTTP status may be tried again", () => {
    const passing = Object.keys(ERRORS).filter((code) => isTemporary({ code }));
    const retried = Object.entries(ERRORS).filter(([, { http }]) => shouldRetry(http));
    expect(passing).toEqual(retried.map(([code]) => code));
  });

  it("is for good where hub code invented it, and where the connection is closed", () => {
    const own = ["not_invited", "lobby_full", "invalid_seat", "payment_error", "line_busy"];
    expect([...own, "closed"].filter((code) => isTemporary({ code }))).toEqual([]);
  });
});

describe("an address", () => {
  const PAGE = "https://app.example/some/page?x=1";

  it.each([
    ["/hubs/chat", "group:lobby", "wss://app.example", "hubs/chat/groups/lobby"],
    ["https://h.example/hubs/chat", "order:42", "wss://h.example", "hubs/chat/orders/42"],
    ["http://127.0.0.1:8787/hubs/chat/", "user:al", "ws://127.0.0.1:8787", "hubs/chat/users/al"],
    ["ws://h/hubs/chat", "group:a:b", "ws://h", "hubs/chat/groups/a%3Ab"],
    ["wss://h/pre/fix/hubs/chat", "group:lobby", "wss://h", "pre/fix/hubs/chat/groups/lobby"],
    [
      "wss://h/hubs/chat",
      "group:a/b?c#d%20 é",
      "wss://h",
      "hubs/chat/groups/a%2Fb%3Fc%23d%2520%20%C3%A9",
    ],
    ["wss://h/hubs/chat", "group:e\u0301", "wss://h", "hubs/chat/groups/%C3%A9"],
  ])("of %s and %s is %s/%s", (hub, room, origin, basePath) => {
    const address = addressOf(hub, room, PAGE);
    expect([`${address.protocol}://${address.host}`, address.basePath]).toEqual([origin, basePath]);
  });

  it("keeps the query of the hub's address, and none of the page's", () => {
    expect(addressOf("/hubs/chat?region=eu", "group:a", PAGE).query).toEqual({ region: "eu" });
    expect(addressOf("/hubs/chat", "group:a", PAGE).query).toEqual({});
  });

  it.each([
    ["group:", "invalid_name"],
    ["group:.", "invalid_name"],
    ["group:..", "invalid_name"],
    ["group:\u0000", "invalid_name"],
    [`group:${"x".repeat(129)}`, "invalid_name"],
    ["all", "invalid_name"],
    ["lobby", "room_kind_not_found"],
    ["channel:lobby", "room_kind_not_found"],
  ])("of the room %j is refused", (room, code) => {
    expect(() => addressOf("/hubs/chat", room, PAGE)).toThrow(expect.objectContaining({ code }));
  });

  it("of a room without a kind is refused with words that show one", () => {
    const text = "A room begins with its kind: group:lobby.";
    expect(() => addressOf("/hubs/chat", "lobby", PAGE)).toThrow(text);
    expect(() => addressOf("/hubs/chat", "all", PAGE)).toThrow(text);
  });

  it("without a host needs a page", () => {
    expect(() => addressOf("/hubs/chat", "group:a")).toThrow(TypeError);
  });
});

describe("a pause", () => {
  it.each([
    [0, 0, 0],
    [0, 0.5, 500],
    [1, 0.5, 1_000],
    [4, 0.999, 15_984],
    [5, 0.5, 15_000],
    [5_000, 0.5, 15_000],
  ])("after %i failures at %f is %i ms", (failures, x, ms) => {
    const backoff = { baseMs: 1_000, capMs: 30_000, random: () => x };
    expect(Math.round(pauseMs(failures, backoff))).toBe(ms);
  });

  it.each<[unknown, number]>([
    [5, 5_500],
    [1e9, 600_500],
    [Infinity, 600_500],
    ...[0, -5, -Infinity, NaN, null, "soon", {}].map((odd): [unknown, number] => [odd, 500]),
  ])("of a server that asks for %j s is %i ms", (retryAfter, ms) => {
    const backoff = { baseMs: 1_000, capMs: 30_000, random: () => 0.5 };
    const about = { retryAfter } as { readonly retryAfter: number };
    expect(pauseMs(0, backoff, about)).toBe(ms);
  });
});

describe("a token", () => {
  const NOW = 1_000_000_000;
  const token = (claims: object) =>
    `h.${btoa(JSON.stringify(claims)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}.s`;
  const at = (seconds: number) => NOW / 1000 + seconds;

  it.each<[string, object, number, number | undefined]>([
    ["half a minute early", { exp: at(3600) }, 0, 3_570_000],
    ["up to fifteen seconds earlier still", { exp: at(3600) }, 1, 3_555_000],
    ["at half of a short life", { exp: at(40) }, 0, 20_000],
    [
      "by what it says of itself, where our clock is slow",
      { iat: at(3600), exp: at(3900) },
      0,
      270_000,
    ],
    [
      "by what it says of itself, where our clock is fast",
      { iat: at(-900), exp: at(-600) },
      0,
      270_000,
    ],
    ["by our clock, where it is an old one", { iat: at(-3000), exp: at(600) }, 0, 570_000],
    ["never, where it has no end", { sub: "alice" }, 0, undefined],
    ["never, where it has ended and does not say when it began", { exp: at(-1) }, 0, undefined],
    ["though its times are text", { iat: `${at(0)}`, exp: `${at(3600)}` }, 0, 3_570_000],
    ["whatever letters it is written in", { name: "é?>~ü", exp: at(3600) }, 0, 3_570_000],
  ])("is renewed %s", (_when, claims, x, ms) => {
    const text = token(JSON.parse(JSON.stringify(claims).replace(/[^ -~]/g, "?")) as object);
    expect(renewInMs(text, NOW, () => x)).toBe(ms);
  });

  it.each(["", "opaque", "a.b.c", "a.bnVsbA.c"])(
    "%j, which is no JWT, is never renewed",
    (text) => {
      expect(renewInMs(text, NOW, () => 0)).toBeUndefined();
    },
  );
});

describe("a presence", () => {
  const member = { userId: "bob", since: 1, connections: 2, state: "busy" };
  const start = presenceOf({ users: 1, connections: 2, members: [member], more: false });

  it("knows who, since when and with what state", () => {
    expect(start).toEqual({
      users: 1,
      connections: 2,
      members: new Map([["bob", { userId: "bob", since: 1, state: "busy" }]]),
      more: false,
    });
  });

  it.each<[string, Parameters<typeof applyChange>[1], object]>([
    ["counts only", { users: 7, connections: 9 }, { ...start, users: 7, connections: 9 }],
    ["names missing", { users: 200, more: true }, { ...start, users: 200, more: true }],
    ["a leave of somebody unknown", { left: ["carol"] }, start],
    [
      "a second join, which keeps the state",
      { joined: [{ userId: "bob", since: 5 }] },
      { ...start, members: new Map([["bob", { userId: "bob", since: 5, state: "busy" }]]) },
    ],
    [
      "a state of somebody unknown",
      { tracked: [{ userId: "__proto__", state: 1 }] },
      {
        ...start,
        members: new Map([
          ...start.members,
          ["__proto__", { userId: "__proto__", since: 0, state: 1 }],
        ]),
      },
    ],
  ])("takes %s", (_what, change, after) => {
    expect(applyChange(start, change)).toEqual(after);
  });

  it("is replaced, never changed", () => {
    const before = structuredClone(start);
    expect(applyChange(start, { left: ["bob"] }).members.size).toBe(0);
    expect(start).toEqual(before);
  });
});
