// A setting that does not exist, and one that is not a policy, are refused where the hub is served: a misspelt
// `authorize` would open the hub to every user.

import { describe, expect, it } from "vitest";
import { servedHub } from "../../../src/dispatch/define/hub-tables.ts";
import { hub } from "../../../src/dispatch/define/hub-definition.ts";
import { serve } from "../../../src/server.ts";
import { claim, every, role, signedIn, some } from "../../../src/dispatch/define/policies.ts";

const served = (settings: object) => servedHub(hub<object>("chat", settings).methods({}));
const POLICY =
  'is not a policy. A policy is made by a call, such as role("Admin"), or is a function.';
const TRANSPORTS = "signalR.transports is an array of WebSockets, ServerSentEvents, LongPolling.";

it.each<[string, object, string | RegExp]>([
  ["a misspelt name", { autorize: signedIn }, "there is no setting autorize."],
  ["an inherited name", { toString: 1 }, "there is no setting toString."],
  ["a limit", { limits: { callPerSecond: 5 } }, "there is no setting limits.callPerSecond."],
  ["an inherited limit", { limits: { toString: 5 } }, "there is no setting limits.toString."],
  ["a misspelt member", { liveness: { grace: 5 } }, "there is no setting liveness.grace."],
  [
    "a misspelt member of a member",
    { signalR: { statefulReconnect: { away: 1 } } },
    "there is no setting signalR.statefulReconnect.away.",
  ],
  [
    "a kind that does not exist",
    { rooms: { groups: { enter: signedIn } } },
    "there is no setting rooms.groups. Kinds of rooms: group, order, user.",
  ],
  ["a rule", { rooms: { order: { join: 1 } } }, "there is no setting rooms.order.join."],
  [
    "a policy for the rules of a kind",
    { rooms: { order: signedIn } },
    "rooms.order is an object with enter, history, groups.",
  ],
  [
    "a number for an object",
    { history: 100 },
    "history is false or an object with size, ttlSeconds.",
  ],
  [
    "true where only false is a choice",
    { history: true },
    "history is false or an object with size, ttlSeconds.",
  ],
  [
    "a number for a choice of booleans",
    { signalR: { statefulReconnect: 1 } },
    "signalR.statefulReconnect is true or false or an object with bufferBytes, awaySeconds.",
  ],
  [
    "a boolean for rules",
    { rooms: { group: true } },
    "rooms.group is an object with enter, history, groups.",
  ],
  ["a boolean for kinds", { rooms: true }, "rooms is an object with group, order, user."],
  ["a boolean for limits", { limits: true }, /^Hub "chat": limits is an object with /],
  ["a boolean for reach", { reach: true }, "reach is an object with all, users."],
  ["a text for a boolean", { anonymous: "false" }, "anonymous is true or false."],
  ["a number for a boolean", { reach: { all: 0 } }, "reach.all is true or false."],
  ["another text", { presence: "user" }, "presence is users or counts or none."],
  ["a boolean for a text", { durability: false }, "durability is logged or behind."],
  ["a boolean for a function", { connected: true }, "connected is a function."],
  ["an object for a function", { presenceChanged: {} }, "presenceChanged is a function."],
  ["null for a function", { connected: null }, "connected is a function."],
  ["a text for a list", { signalR: { transports: "WebSockets" } }, TRANSPORTS],
  ["a misspelt transport", { signalR: { transports: ["websockets"] } }, TRANSPORTS],
  ["a number for a name", { signalR: { state: { patch: 5 } } }, "signalR.state.patch is a string."],
  [
    "a text for prefixes",
    { rooms: { order: { groups: "order-" } } },
    "rooms.order.groups is an array of strings.",
  ],
  ...["abc", ["group"], null].map(
    (rooms) =>
      [
        `${JSON.stringify(rooms)} for kinds`,
        ...[{ rooms }, "rooms is an object with group, order, user."],
      ] as [string, object, string],
  ),
  ["a list for kinds", { rooms: [] }, "rooms is an object with group, order, user."],
  ["a list for limits", { limits: [] }, /^Hub "chat": limits is an object with /],
  ["a list for an object", { history: [] }, "history is false or an object with size, ttlSeconds."],
  ...[{}, true, [], null, { clientMethods: [] }, { receive: [] }].map(
    (client) =>
      [
        `${JSON.stringify(client)} for the client`,
        ...[{ client }, "client is made by clientMethods({ … })."],
      ] as [string, object, string],
  ),
  ["true for answers", { answers: true }, "answers is an object."],
  ["a list for answers", { answers: [] }, "answers is an object."],
  ["a list for settings", [], "its settings are an object."],
  ["true for settings", true as never, "its settings are an object."],
  ["null for an object", { reach: null }, "reach is an object with all, users."],
])("%s is refused", (_, settings, sentence) => {
  const error = typeof sentence === "string" ? new TypeError(`Hub "chat": ${sentence}`) : sentence;
  expect(() => served(settings)).toThrow(error);
});

describe("a policy", () => {
  it.each([
    ["role", role],
    ["claim", claim],
    ["every", every],
    ["some", some],
    ["a text", "Admin"],
    ["true", true],
    ["null", null],
  ])("is not %s", (_, policy) => {
    const refused = (settings: object, place: string) =>
      expect(() => served(settings)).toThrow(new TypeError(`Hub "chat": ${place} ${POLICY}`));
    refused({ authorize: policy }, "authorize");
    refused({ rooms: { group: { enter: policy } } }, "rooms.group.enter");
    refused({ rooms: { user: { history: policy } } }, "rooms.user.history");
  });

  it.each([role("Admin"), claim("plan", "gold"), every(signedIn), () => true, undefined])(
    "is a function: %o",
    (policy) => {
      expect(() =>
        served({ authorize: policy, rooms: { order: { enter: policy } } }),
      ).not.toThrow();
    },
  );
});

it("undefined is as if it were absent, and booleans replace objects", () => {
  const settings = {
    autorize: undefined,
    rooms: { group: undefined },
    history: false,
    signalR: { statefulReconnect: true, state: undefined },
  };
  expect(() => served(settings)).not.toThrow();
});

describe("an option of serve", () => {
  it.each<[object, string]>([
    [{ basepath: "/v1" }, "there is no setting basepath."],
    [{ basePath: 1 }, "basePath is a string."],
    [{ filters: true }, "filters is an array of objects."],
    [{ filters: [null] }, "filters is an array of objects."],
    [{ paths: ["/rpc"] }, "paths is an array of objects."],
    [{ userId: "email" }, "userId is a function."],
    [{ place: "eu" }, "place is an object."],
    [{ grpc: true }, "grpc is a function."],
  ])("is of its kind: %o", (options, sentence) => {
    expect(() => serve([], options)).toThrow(new TypeError(`serve: ${sentence}`));
  });

  it.each<[unknown, unknown, string]>([
    [hub("chat").methods({}), {}, "its hubs are a list, as in serve([ChatHub])."],
    [undefined, {}, "its hubs are a list, as in serve([ChatHub])."],
    [[], null, "its options are an object."],
    [[], [], "its options are an object."],
    [[], "/v1", "its options are an object."],
  ])("is among an object, after a list of hubs: %o, %o", (hubs, options, sentence) => {
    expect(() => serve(hubs as [], options as object)).toThrow(new TypeError(`serve: ${sentence}`));
  });

  it("may be undefined", () => {
    expect(() => serve([], { filters: undefined, userId: undefined } as object)).not.toThrow();
  });
});
