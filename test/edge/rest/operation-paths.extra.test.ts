// Operations are segments of the path, `:send`, whose colon may be percent-encoded: each path is one operation.

import { expect, it } from "vitest";
import { operations } from "../../../src/edge/rest/index.ts";
import { enter, type Client } from "../../rooms/client.ts";
import { ask, refusal } from "./service.ts";

const message = (text: string) => ({ body: { target: "said", arguments: [text] } });

async function memberOf(room: string): Promise<Client & { texts(): Promise<unknown[]> }> {
  const client = await enter(room);
  const texts = async () => {
    // The answer comes after what was sent before.
    await client.call("$/untrack");
    return client.messages("said").map(({ params }) => params[0]);
  };
  return Object.assign(client, { texts });
}

it("a colon that is percent-encoded is that of the same operation", async () => {
  using member = await memberOf("plain/group:encoded");
  using other = await memberOf("plain/group:others");
  const rooms = ["groups/encoded", "users/nobody", "connections/none@group:encoded"];
  for (const colon of [":", "%3A", "%3a"])
    for (const room of rooms) {
      const path = `/hubs/plain/${room}/${colon}send`;
      expect((await ask("POST", path, message(colon + room))).status).toBe(202);
    }
  expect(await member.texts()).toEqual([
    ":groups/encoded",
    "%3Agroups/encoded",
    "%3agroups/encoded",
  ]);
  expect(await other.texts()).toEqual([]);
});

it("closing a group's connections closes no other's", async () => {
  using member = await memberOf("plain/group:closed");
  using other = await memberOf("plain/group:open");
  const path = "/hubs/plain/groups/closed/%3AcloseConnections";
  expect((await ask("POST", path)).status).toBe(204);
  expect((await member.closed).code).toBe(4510);
  expect(await other.texts()).toEqual([]);
});

const NAMES = [...new Set(operations.flatMap(({ path }) => path.match(/:\w+/g) ?? []))];

it.each(NAMES)("%s is no beginning and no end of a path", async (name) => {
  for (const path of [`${name}x`, `${name}/x`, `x${name}`, `x/y/z/%3A${name.slice(1)}`, `${name}/`])
    for (const method of ["GET", "POST"])
      expect([path, ...(await refusal(await ask(method, `/hubs/plain/${path}`)))]).toEqual([
        path,
        404,
        "not_found",
      ]);
});
