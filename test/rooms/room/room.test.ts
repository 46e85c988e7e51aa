// One room, its members and its log, through the worker.

import { describe, expect, it } from "vitest";
import { enter } from "../client.ts";

describe("a room", () => {
  it("says where a client stands, then delivers what is said, with rising positions", async () => {
    using alice = await enter("chat/group:lobby", { user: "alice" });
    using bob = await enter("chat/group:lobby", { user: "bob" });
    const { result, error } = await alice.call("sendToRoom", ["lobby", "hello"]);
    expect({ result, error }).toEqual({ result: null, error: undefined });
    const heard = await bob.said("receiveMessage");
    expect(heard).toMatchObject({ params: ["alice", "hello"], room: "group:lobby" });
    expect(alice.hello.params).toMatchObject({
      userId: "alice",
      room: "group:lobby",
      recovered: false,
    });
  });
});
