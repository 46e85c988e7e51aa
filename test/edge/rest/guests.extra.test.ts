// A service names a guest by its own id, as presence and hub code have it: one connection, without an account.

import { afterEach, expect, it, vi } from "vitest";
import { Client, upgrade } from "../../rooms/client.ts";
import { ask, refusal, serviceToken } from "./service.ts";

const ADDRESS = { "cf-connecting-ip": "192.0.2.30" };

const clients: Client[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client[Symbol.dispose]();
});

async function guestAt(path: string): Promise<{ readonly client: Client; readonly id: string }> {
  const { webSocket } = await upgrade(path, ADDRESS);
  const client = new Client(webSocket!);
  clients.push(client);
  client.hello = await client.next(({ method }) => method === "$/connected");
  return { client, id: (await client.call("whoami")).result.id };
}

it.each(["/hubs/guests/groups/named", "/hubs/guests/rpc"])(
  "a service ends the connection of a guest at %s, and no other",
  async (path) => {
    const [named, other] = [await guestAt(path), await guestAt(path)];
    const user = `/hubs/guests/users/${named.id}`;
    await vi.waitFor(async () => expect((await ask("GET", user)).status).toBe(200));
    const closed = await ask("POST", `${user}/:closeConnections?reason=Enough.`);
    expect(closed.status).toBe(204);
    expect(await named.client.closed).toMatchObject({ code: 4510, reason: "Enough." });
    expect((await other.client.call("whoami")).result.id).toBe(other.id);
    expect(await refusal(await ask("GET", user))).toEqual([404, "not_found"]);
  },
);

it.each([
  ["POST", "/:ban", { seconds: 60 }],
  ["POST", "/:unban", undefined],
  ["POST", "/:revoke", {}],
  ["POST", "/:send", { target: "said", arguments: ["hello"] }],
  ["PUT", "/groups/one", undefined],
  ["DELETE", "/groups/one", undefined],
] as const)(
  "%s users/{guest}%s is refused, with the name that it needs",
  async (method, to, body) => {
    const { client, id } = await guestAt("/hubs/guests/groups/kept");
    const response = await ask(method, `/hubs/guests/users/${id}${to}`, { ...(body && { body }) });
    expect(response.headers.get("x-dormouse-error")).toBe("invalid_name");
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("guests@");
    expect((await client.call("whoami")).result.id).toBe(id);
  },
);

it("a guest whom no hub-wide command reaches is not told to be disconnected", async () => {
  const { client, id } = await guestAt("/hubs/guests-apart/groups/apart");
  const closing = await ask("POST", `/hubs/guests-apart/users/${id}/:closeConnections`);
  expect(await refusal(closing)).toEqual([400, "invalid_name"]);
  expect((await client.call("whoami")).result.id).toBe(id);
});

it("an id of that form is a user's where no guest can have it", async () => {
  const ban = "/users/guest-AAAAAAAAAAAAAAAAAAAAAA/:ban";
  const body = { seconds: 60 };
  expect((await ask("POST", `/hubs/chat${ban}`, { body })).status).toBe(204);
  const token = await serviceToken({ tid: "acme" });
  expect((await ask("POST", `/hubs/guests${ban}`, { body, token })).status).toBe(204);
});
