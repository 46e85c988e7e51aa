// L7: access keys. A token for `group:X` is no token for `group:x`, and a claim that stands twice refuses the token.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { ACCESS_KEY, nowSeconds, signed, type Server } from "./server.ts";

async function publish(server: Server, path: string, token: string): Promise<number> {
  const response = await fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ target: "said", arguments: ["hello"] }),
  });
  return response.status;
}

async function run({ server }: Stage): Promise<Outcome> {
  const path = (room: string) => `/api/hubs/hall/rooms/group%3A${room}/:publish`;
  const exp = nowSeconds() + 600;
  const aud = (room: string) => `${server.url}${path(room)}`;
  const text = (...members: string[]) => `{${members.join(",")}}`;
  const claim = (name: string, value: unknown) =>
    `${JSON.stringify(name)}:${JSON.stringify(value)}`;
  const tokens: Readonly<Record<string, string>> = {
    "another case in the room": signed({ aud: aud("x"), exp }, ACCESS_KEY),
    "another case in the hub": signed(
      { aud: aud("X").replace("/hall/", "/Hall/"), exp },
      ACCESS_KEY,
    ),
    "aud twice, the right one last": signed(
      text(claim("aud", aud("x")), claim("exp", exp), claim("aud", aud("X"))),
      ACCESS_KEY,
    ),
    "aud twice, the right one first": signed(
      text(claim("aud", aud("X")), claim("exp", exp), claim("aud", aud("x"))),
      ACCESS_KEY,
    ),
    "exp twice, expired first": signed(
      text(claim("exp", 1), claim("aud", aud("X")), claim("exp", exp)),
      ACCESS_KEY,
    ),
  };
  const right = await publish(server, path("X"), server.serviceToken(aud("X")));
  const accepted: string[] = [];
  for (const [what, token] of Object.entries(tokens))
    if ((await publish(server, path("X"), token)) < 400) accepted.push(what);
  return {
    facts: [`${accepted.length} of ${Object.keys(tokens).length} wrongly accepted`],
    failures: [
      ...accepted.map((what) => `accepted: ${what}`),
      ...(right < 300 ? [] : [`the right one is refused with ${right}`]),
    ],
  };
}

export const audiences: Attack = {
  ...{
    name: "L7",
    title: "access keys' tokens for other names, repeated claims",
    isWatched: false,
  },
  ...{ takes: 5, run },
};
