// What a client of a full room sees of its users, where the room changes while the client's relay follows it.

import { expect, it } from "vitest";
import type { RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import { enter, roomAt, type Client } from "../client.ts";
import { hold } from "../replaced.ts";

const roomOf = (room: string) => roomAt(room) as unknown as RoomRpc;

const idsOf = (users: readonly { userId: string }[] = []) => users.map(({ userId }) => userId);

/** Once the client has heard `fence`: the users that it was greeted with, and the changes that it has heard since. */
async function shownTo(client: Client): Promise<string[]> {
  await client.heardFrame(({ params }) => params?.[0] === "fence");
  const present = new Set(idsOf(client.hello.params.present.members));
  for (const { params } of client.heard.filter(({ method }) => method === "$/presence")) {
    for (const user of idsOf(params.joined)) present.add(user);
    for (const user of params.left ?? []) present.delete(user);
  }
  return [...present].toSorted();
}

/** As many as fit into the room's own object. */
async function fill(room: string): Promise<Client[]> {
  const clients: Client[] = [];
  for (let i = 0; i < 3; i++) clients.push(await enter(room, { user: `user-${i}` }));
  return clients;
}

it("a client is among the users that it sees", async () => {
  const room = "full/group:self";
  const [first] = await fill(room);
  await first!.heardFrame(
    ({ method, params }) => method === "$/presence" && idsOf(params.joined).includes("user-2"),
  );
  using late = await enter(room, { user: "late" });
  await late.call("say", ["self", "fence"]);
  expect(await shownTo(late)).toEqual(["late", "user-0", "user-1", "user-2"]);
});

it("a user who leaves while the relay follows is not shown", async () => {
  const room = "full/group:leaving";
  const [first, second] = await fill(room);
  const follow = await hold(room, "follow");
  const entering = enter(room, { user: "late" });
  await follow.held();
  second!.socket.close(1000);
  await first!.heardFrame(
    ({ method, params }) => method === "$/presence" && params.left?.includes("user-1"),
  );
  follow.letGo();
  using late = await entering;
  expect(late.hello.params.connectionId).toContain("@relay:");
  await first!.call("say", ["leaving", "fence"]);
  const { members } = await roomOf(room).presence({});
  expect(await shownTo(late)).toEqual(idsOf(members));
});
