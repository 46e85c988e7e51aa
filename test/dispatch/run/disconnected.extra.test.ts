// `disconnected` runs once the connection has left the presence of its rooms.

import { expect, it } from "vitest";
import { Client, enter, token, upgrade } from "../../rooms/client.ts";

const inHub = async (user: string): Promise<Client> => {
  const { webSocket } = await upgrade(`/hubs/leaving/rpc?access_token=${await token(user)}`);
  const client = new Client(webSocket!);
  await client.next(({ method }) => method === "$/connected");
  await client.call("join", ["hall"]);
  return client;
};

const inRoom = (user: string): Promise<Client> => enter("leaving/group:hall", { user });

/** Who was present with a connection when `disconnected` ran for this user. */
const presentAt = async (watcher: Client, user: string): Promise<unknown> => {
  const { params } = await watcher.next(
    (frame) => frame.method === "gone" && frame.params[0] === user,
  );
  return params[1];
};

it.each([
  ["closed, at a relay", 1000, inHub],
  ["closed, in its room", 1000, inRoom],
  ["left by its page, at a relay", 1001, inHub],
  ["left by its page, in its room", 1001, inRoom],
])("a connection that is %s is in no presence", async (name, code, come) => {
  using watcher = await enter("leaving/group:door", { user: "watcher" });
  const leaver = await come(name);
  leaver.socket.close(code);
  expect(await presentAt(watcher, name)).toEqual([]);
});

it("a user with another connection is", async () => {
  using watcher = await enter("leaving/group:door", { user: "watcher" });
  using other = await inHub("bob");
  const leaver = await inHub("bob");
  leaver.socket.close(1000);
  expect(await presentAt(watcher, "bob")).toEqual(["bob"]);
  other.socket.close(1000);
  expect(await presentAt(watcher, "bob")).toEqual([]);
});
