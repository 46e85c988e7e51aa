// A check and a message in a hub without state: published only where the room still stands where the check saw it.

import { expect, it } from "vitest";
import { Client, enter, token, upgrade } from "../../rooms/client.ts";

async function onHub(user: string): Promise<Client> {
  const access = await token(user);
  return new Client((await upgrade(`/hubs/claims/rpc?access_token=${access}`)).webSocket!);
}

it("one of ten who claim at once is heard, in relays and in the room; the others get `conflict`", async () => {
  for (let round = 0; round < 10; round++) {
    const name = crypto.randomUUID();
    using witness = await enter(`claims/group:${name}`, { user: "witness" });
    const users = Array.from({ length: 10 }, (_, n) => `user-${n}`);
    const clients = await Promise.all(
      users.map((user, n) => (n % 2 ? onHub(user) : enter(`claims/group:${name}`, { user }))),
    );
    const answers = await Promise.all(clients.map((client) => client.call("claim", [name])));
    const codes = answers.map(({ error }) => error?.data.code ?? "claimed");
    expect(codes.filter((code) => code === "claimed")).toHaveLength(1);
    expect(codes.filter((code) => !["claimed", "conflict", "taken"].includes(code))).toEqual([]);
    const { params } = await witness.said("claimed");
    expect(params).toEqual([users[codes.indexOf("claimed")]]);
    expect(witness.heard.filter(({ method }) => method === "claimed")).toHaveLength(1);
    for (const client of clients) client[Symbol.dispose]();
  }
});
