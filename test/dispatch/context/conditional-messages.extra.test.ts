// A check and a message in a hub without state: published only where the room still stands where the check saw it.

import { expect, it } from "vitest";
import { Client, enter, token, upgrade } from "../../rooms/client.ts";

async function onHub(user: string): Promise<Client> {
  const access = await token(user);
  return new Client((await upgrade(`/hubs/claims/rpc?access_token=${access}`)).webSocket!);
}

it("one of ten who have seen the same is heard, in relays and in the room; the others get `conflict`", async () => {
  const name = crypto.randomUUID();
  using witness = await enter(`claims/group:${name}`, { user: "witness" });
  const users = Array.from({ length: 10 }, (_, n) => `user-${n}`);
  const clients = await Promise.all(
    users.map((user, n) => (n % 2 ? onHub(user) : enter(`claims/group:${name}`, { user }))),
  );
  for (let round = 1; round <= 5; round++) {
    const { result: seen } = await witness.call("look", [name]);
    const answers = await Promise.all(clients.map((client) => client.call("claim", [name, seen])));
    const codes = answers.map(({ error }) => error?.data.code ?? "claimed");
    expect(codes.toSorted()).toEqual(["claimed", ...Array(9).fill("conflict")]);
    await witness.said("claimed");
    const heard = witness.messages("claimed").map(({ params }) => params);
    expect([heard.length, heard.at(-1)]).toEqual([round, [users[codes.indexOf("claimed")]]]);
  }
  for (const client of clients) client[Symbol.dispose]();
});
