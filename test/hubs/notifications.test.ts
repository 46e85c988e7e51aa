// NotificationHub: the recipients of notifications.

import { describe, expect, it } from "vitest";
import { calling } from "../../src/dispatch/testing/testing.ts";
import {
  NotificationHub,
  notificationHub,
  type Notification,
} from "../../src/hubs/notifications.ts";

const stopped = () => calling(notificationHub({ now: () => 0 }));
const timestamp = "1970-01-01T00:00:00.000Z";

describe("notifications.sendToGroup", () => {
  it("makes a notification of a text", async () => {
    const { invoke, sent } = stopped();
    await invoke.sendToGroup("lobby", "Hello");
    const notification = { title: "Notification", body: "Hello", severity: "info", timestamp };
    expect(sent).toEqual([
      { to: "group:lobby", method: "receiveNotification", args: [notification] },
    ]);
  });

  it("takes a whole notification and stamps it", async () => {
    const { invoke, sent } = stopped();
    const message = { title: "Stock", body: "Low", severity: "warning" } as const;
    await invoke.sendToGroup("lobby", message);
    expect(sent.map(({ args }) => args)).toEqual([[{ ...message, timestamp }]]);
  });

  it("takes a notification without a severity for an info", async () => {
    const { invoke, sent } = stopped();
    await invoke.sendToGroup("lobby", { title: "Stock", body: "Low" });
    expect(sent[0]?.args).toEqual([{ title: "Stock", body: "Low", severity: "info", timestamp }]);
  });

  it("passes on any severity, and the sender's own timestamp as it came", async () => {
    const { invoke, sent } = stopped();
    const message = { title: "Alert", body: "Server load high", severity: "Warning" };
    const at = "2026-11-29T15:35:28.1234567Z";
    await invoke.sendToGroup("admins", { ...message, timestamp: at });
    await invoke.sendToGroup("admins", { ...message, timestamp: 0 });
    expect(sent.map(({ args }) => args[0])).toEqual([
      { ...message, timestamp: at },
      { ...message, timestamp },
    ]);
  });

  it("stamps with the present time unless it is given another", async () => {
    const { invoke, sent } = calling(NotificationHub);
    const before = Date.now();
    await invoke.sendToGroup("lobby", "Hello");
    const [notification] = sent.map(({ args }) => args[0] as Notification);
    expect(Date.parse(notification!.timestamp as string)).toBeGreaterThanOrEqual(before);
  });

  it.each([
    ["an empty text", "lobby", ""],
    ["a text of 4,001 characters", "lobby", "x".repeat(4_001)],
    ["a severity that is no text", "lobby", { title: "a", body: "b", severity: 1 }],
    ["a timestamp that is no date", "lobby", { title: "a", body: "b", timestamp: "soon" }],
    ["a notification without a body", "lobby", { title: "a" }],
    ["a number", "lobby", 42],
    ["a group without a name", "", "Hello"],
    ["a group of 129 characters", "x".repeat(129), "Hello"],
  ])("refuses %s", async (_, group, message) => {
    const { invoke, sent } = stopped();
    await expect(invoke.sendToGroup(group, message as string)).rejects.toMatchObject({
      code: "invalid_arguments",
    });
    expect(sent).toEqual([]);
  });

  it("refuses nobody", async () => {
    const { invoke } = calling(NotificationHub, { user: null });
    await expect(invoke.sendToGroup("lobby", "Hello")).rejects.toMatchObject({
      code: "forbidden",
    });
  });
});

describe("notifications.sendToUser", () => {
  it("tells the user and no one else", async () => {
    const { invoke, sent } = stopped();
    await invoke.sendToUser("bob", "Hello");
    expect(sent.map(({ to, method }) => [to, method])).toEqual([
      ["user:bob", "receiveNotification"],
    ]);
  });

  it("reaches a user in whatever room they are attached to", () => {
    expect(NotificationHub.settings.reach).toEqual({ users: true });
  });
});

it("notifications.sendMessage publishes to a channel", async () => {
  const { invoke, sent } = calling(NotificationHub);
  await invoke.sendMessage("general", "Hello");
  expect(sent).toEqual([
    { to: "group:general", method: "receiveMessage", args: ["alice", "Hello"] },
  ]);
});

it("notifications.joinOrderGroup and leaveOrderGroup follow orders, by text or number", async () => {
  const { invoke, joined } = calling(NotificationHub);
  for (const id of [42, "43"]) await invoke.joinOrderGroup(id);
  await invoke.leaveOrderGroup("42");
  expect(joined).toEqual(["order:43"]);
});

it("notifications.streamPrices streams a symbol's prices", async () => {
  const { stream } = calling(NotificationHub);
  for await (const { symbol } of stream.streamPrices("ACME")) {
    expect(symbol).toBe("ACME");
    break;
  }
});

describe("notifications in groups", () => {
  it("say who comes and who goes", async () => {
    const { hooks, sent } = calling(NotificationHub);
    await hooks.joined("bob", "group:lobby");
    await hooks.left("bob", "group:lobby");
    expect(sent).toEqual([
      { to: "group:lobby", method: "userJoined", args: ["bob"] },
      { to: "group:lobby", method: "userLeft", args: ["bob"] },
    ]);
  });

  it.each(["all", "order:42", "user:bob"])("say nothing of %s", async (room) => {
    const { hooks, sent } = calling(NotificationHub);
    await hooks.joined("bob", room);
    await hooks.left("bob", room);
    expect(sent).toEqual([]);
  });
});
