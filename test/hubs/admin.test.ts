// AdminHub: the hub's policy, then the method's; and rules common to all sample hubs.

import { describe, expect, it } from "vitest";
import { calling } from "../../src/dispatch/testing/testing.ts";
import { AdminHub } from "../../src/hubs/admin.ts";
import { hubs } from "../../src/hubs/index.ts";

const permitted = { permissions: ["users.read", "users.manage"] };

describe("admin.broadcastAlert", () => {
  it.each(["Admin", "Manager"])("lets a permitted %s tell everybody", async (role) => {
    const { invoke, sent } = calling(AdminHub, { user: { roles: [role], claims: permitted } });
    await invoke.broadcastAlert("Fire");
    expect(sent).toEqual([{ to: "all", method: "alertReceived", args: ["Fire"] }]);
  });

  it.each([
    ["a role without the permission", { roles: ["Admin"], claims: {} }],
    ["a role with another", { roles: ["Admin"], claims: { permissions: ["users.read"] } }],
    ["the permission without a role", { roles: [], claims: permitted }],
    ["the permission with another role", { roles: ["User"], claims: permitted }],
    ["permissions in one text", { roles: ["Admin"], claims: { permissions: "a users.manage" } }],
    ["nothing", {}],
    ["nobody", null],
  ])("refuses %s", async (_, user) => {
    const { invoke, sent } = calling(AdminHub, { user });
    await expect(invoke.broadcastAlert("Fire")).rejects.toMatchObject({ code: "forbidden" });
    expect(sent).toEqual([]);
  });

  it("refuses an empty alert", async () => {
    const { invoke } = calling(AdminHub, { user: { roles: ["Admin"], claims: permitted } });
    await expect(invoke.broadcastAlert("")).rejects.toMatchObject({ code: "invalid_arguments" });
  });
});

/** The project's own hubs. A further hub of a user needs no change here. */
const SAMPLES = {
  notifications: [
    ...["sendToGroup", "sendToUser", "sendMessage"],
    ...["joinOrderGroup", "leaveOrderGroup", "streamPrices"],
  ],
  orders: ["joinOrderGroup", "leaveOrderGroup", "updateOrderStatus"],
  chat: ["joinRoom", "leaveRoom", "sendToRoom", "broadcastExceptSelf"],
  presence: ["getOnlineUsers"],
  prices: ["streamPrices"],
  uploads: ["uploadData"],
  admin: ["broadcastAlert"],
  calculator: ["add", "divideAsync"],
};

describe("the sample hubs", () => {
  const samples = hubs.filter(({ name }) => Object.hasOwn(SAMPLES, name));

  it("are these, with these methods", () => {
    const table = samples.map(({ name, members }) => [name, Object.keys(members)]);
    expect(Object.fromEntries(table)).toEqual(SAMPLES);
  });

  it.each(samples.map(({ name, settings }) => [name, settings] as const))(
    "%s names who may enter, and opens no user's room",
    (name, { authorize, rooms = {} }) => {
      expect(authorize).toBeTypeOf("function");
      const open = Object.entries(rooms).filter(([, { enter }]) => enter);
      expect(open.map(([kind]) => kind)).toEqual(name === "calculator" ? [] : ["group", "order"]);
    },
  );
});
