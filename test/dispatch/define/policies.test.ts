// Who may call, who may enter a room, and who may read what was said there.

import { describe, expect, it } from "vitest";
import {
  anyone,
  callAt,
  claim,
  every,
  mayEnter,
  mayReadHistory,
  mayUse,
  nobody,
  role,
  signedIn,
  some,
  type Policy,
  type RoomRules,
} from "../../../src/dispatch/define/policies.ts";
import { ALL, parseTopic } from "../../../src/model/topic.ts";
import type { Capability, User } from "../../../src/model/user.ts";
import { runtime, userOf } from "../../support/test-user.ts";

const call = (given: Partial<User> | null = {}) => ({
  hub: "chat",
  method: "say",
  user: given && userOf(given),
  args: [],
  ...runtime,
});

describe("policies", () => {
  it.each([
    ["anyone admits nobody in particular", anyone, null, true],
    ["nobody admits no one", nobody, {}, false],
    ["signedIn admits a user", signedIn, {}, true],
    ["signedIn refuses nobody", signedIn, null, false],
    ["role admits one of its roles", role("a", "b"), { roles: ["x", "b"] }, true],
    ["role refuses another case", role("admin"), { roles: ["Admin"] }, false],
    ["role refuses nobody", role("a"), null, false],
    ["claim admits its value", claim("plan", "pro"), { claims: { plan: "pro" } }, true],
    ["claim admits a list that has it", claim("may", "x"), { claims: { may: ["y", "x"] } }, true],
    ["claim refuses a longer text", claim("may", "x"), { claims: { may: "x y" } }, false],
    ["claim refuses another type", claim("level", 1), { claims: { level: "1" } }, false],
    ["claim refuses an absent one", claim("plan", undefined), {}, false],
    ["claim refuses what every object has", claim("constructor", Object), {}, false],
    ["claim refuses nobody", claim("plan", "pro"), null, false],
    ["every admits where all do", every(anyone, signedIn), {}, true],
    ["every refuses where one does", every(anyone, nobody), {}, false],
    ["some admits where one does", some(nobody, signedIn), {}, true],
    ["some refuses where all do", some(nobody, nobody), {}, false],
  ] satisfies [string, Policy, Partial<User> | null, boolean][])(
    "%s",
    async (_, policy, given, admitted) => {
      expect(await policy(call(given))).toBe(admitted);
    },
  );

  it("ask no further once the answer is certain", async () => {
    const unasked: Policy = () => Promise.reject(new Error("asked"));
    expect(await every(nobody, unasked)(call())).toBe(false);
    expect(await some(anyone, unasked)(call())).toBe(true);
  });

  it.each([role, every, some, claim as () => Policy])(
    "are not made without arguments: `every()` would admit everybody: %o",
    (make) => {
      expect(() => make()).toThrow("A policy is made by a call with arguments: ");
    },
  );
});

const cap = (right: Capability["allow"][number], ...channels: string[]): Capability => ({
  channels,
  match: "wildcard",
  allow: [right],
});
const open: RoomRules = { enter: signedIn };
const closed = undefined;

type Rules = Parameters<typeof mayEnter>[1];
type Case = [string, Partial<User> | null, string, Rules, boolean];
const inRoom = (given: Partial<User> | null, topic: string) => ({
  hub: "chat",
  user: given && userOf(given),
  room: parseTopic(topic),
  args: [],
  ...runtime,
});

/** Of `({ user }) => user.claims["vip"] as boolean`, where the token has no such claim. */
const absent: Policy = () => undefined as unknown as boolean;

it.each([
  ["nothing", absent, false],
  ["null", (() => null) as unknown as Policy, false],
  ["false", nobody, false],
  ["true", anyone, true],
  ["a policy that there is not", undefined, true],
])("a hub's policy that gives %s admits to the hub as to an own room", async (_, authorize, is) => {
  const user = userOf();
  expect(await mayUse({ name: "chat", authorize }, { user, ...runtime })).toBe(is);
  expect(await mayEnter(inRoom({}, "user:alice"), { authorize })).toBe(is);
});

it("policies of connections cannot change the user", async () => {
  const user = userOf();
  const promote: Policy = ({ user: given }) => (given!.roles as string[]).push("Admin") > 0;
  await expect(mayUse({ name: "chat", authorize: promote }, { user, ...runtime })).rejects.toThrow(
    TypeError,
  );
  expect(user.roles).toEqual([]);
});

it("policies of rooms cannot change the room that the user enters", async () => {
  const room = parseTopic("group:closed");
  const enter: Policy = ({ room: given }) => Boolean(Object.assign(given!, { name: "open" }));
  const entering = callAt({ name: "chat" }, { user: userOf(), room, ...runtime });
  await expect(mayEnter(entering, { enter })).rejects.toThrow(TypeError);
  expect(room.name).toBe("closed");
});

describe("mayEnter", () => {
  it.each([
    ["closes a group nothing is said of", {}, "group:g", closed, false],
    ["closes an order nothing is said of", {}, "order:1", closed, false],
    ["closes a kind whose rules name no policy", {}, "group:g", {}, false],
    ["opens a group as its policy says", {}, "group:g", open, true],
    ["opens an order as its policy says", {}, "order:1", open, true],
    ["closes a group as its policy says", {}, "group:g", { enter: nobody }, false],
    ["refuses nobody, whatever the policy", null, "group:g", { enter: anyone }, false],
    ["opens a user's room to that user", {}, "user:alice", closed, true],
    ["closes a user's room to others", {}, "user:bob", closed, false],
    ["closes a user's room whatever its policy", {}, "user:bob", { enter: anyone }, false],
    ["tells users apart by case", {}, "user:Alice", closed, false],
    ["opens a user's room where the hub is open", {}, "user:alice", { authorize: signedIn }, true],
    ["closes a user's room where the hub is", {}, "user:alice", { authorize: nobody }, false],
    [
      "opens a user's room by capability, though the hub is closed",
      { caps: [cap("sub", "user:alice")] },
      "user:alice",
      { authorize: nobody },
      true,
    ],
    ["opens a group to a service", { roles: ["service"] }, "group:g", closed, true],
    ["opens a user's room to a service", { roles: ["service"] }, "user:bob", closed, true],
    [
      "opens what a capability covers",
      { caps: [cap("sub", "group:n.*")] },
      "group:n.a",
      closed,
      true,
    ],
    ["closes what it does not", { caps: [cap("sub", "group:n.*")] }, "group:m.a", closed, false],
    [
      "opens a user's room by capability",
      { caps: [cap("sub", "user:*")] },
      "user:bob",
      closed,
      true,
    ],
    [
      "closes a kind the capability does not name",
      { caps: [cap("sub", "group:*")] },
      "order:1",
      closed,
      false,
    ],
    ["enters by no other right", { caps: [cap("hst", "**")] }, "group:g", closed, false],
    ["closes `all` to users", {}, "all", { enter: anyone }, false],
    ["closes `all` to services", { roles: ["service"] }, "all", { enter: anyone }, false],
    ["closes `all` whatever the capability", { caps: [cap("sub", "**")] }, "all", open, false],
  ] satisfies Case[])("%s", async (...[, given, topic, rules, admitted]) => {
    expect(await mayEnter(inRoom(given, topic), rules)).toBe(admitted);
  });

  it("shows the policy the room and no method", async () => {
    const seen: unknown[] = [];
    const enter: Policy = ({ room, method }) => seen.push([room, method]) > 0;
    await mayEnter(inRoom({}, "group:g"), { enter });
    expect(seen).toEqual([[{ kind: "group", name: "g" }, undefined]]);
  });

  it("shows the hub's policy no room, as at the hub's own door", async () => {
    const seen: unknown[] = [];
    const authorize: Policy = ({ hub, room, user }) => seen.push([hub, room, user?.id]) > 0;
    await mayEnter(inRoom({}, "user:alice"), { authorize });
    expect(seen).toEqual([["chat", undefined, "alice"]]);
  });

  it("asks no policy of a room for `all`", async () => {
    const enter: Policy = () => Promise.reject(new Error("asked"));
    expect(await mayEnter({ ...inRoom({}, "all"), room: ALL }, { enter })).toBe(false);
  });
});

const SUB_BOB = { caps: [cap("sub", "user:bob")] };
const toldApart: RoomRules = { enter: signedIn, history: role("auditor") };

describe("mayReadHistory", () => {
  it.each([
    ["admits whoever may enter", {}, "group:g", open, true],
    ["refuses whoever may not", {}, "group:g", closed, false],
    ["refuses nobody", null, "group:g", { enter: anyone, history: anyone }, false],
    ["refuses who may enter but is not named", {}, "group:g", toldApart, false],
    ["admits who is named", { roles: ["auditor"] }, "group:g", toldApart, true],
    ["admits a service", { roles: ["service"] }, "group:g", { history: nobody }, true],
    ["admits a service to `all`", { roles: ["service"] }, "all", closed, true],
    [
      "admits by capability",
      { caps: [cap("hst", "group:g")] },
      "group:g",
      { history: nobody },
      true,
    ],
    ["admits by the right to enter", { caps: [cap("sub", "group:g")] }, "group:g", closed, true],
    [
      "admits no longer by that where history has its own policy",
      { caps: [cap("sub", "group:g")] },
      "group:g",
      toldApart,
      false,
    ],
    ["admits a user to their own", {}, "user:alice", closed, true],
    ["refuses another's", {}, "user:bob", closed, false],
    ["refuses another's, whatever the rule returns", {}, "user:bob", { history: anyone }, false],
    ["refuses guests a user's", { guestFrom: "" }, "user:alice", { history: anyone }, false],
    ["refuses a user's own by the rule", {}, "user:alice", { history: nobody }, false],
    ["asks the rule for a room of the token", SUB_BOB, "user:bob", { history: nobody }, false],
    ["admits to a room of the token", SUB_BOB, "user:bob", { history: anyone }, true],
    ["admits those who may not enter a group", {}, "group:g", { history: anyone }, true],
  ] satisfies Case[])("%s", async (...[, given, topic, rules, admitted]) => {
    expect(await mayReadHistory(inRoom(given, topic), rules)).toBe(admitted);
  });
});
