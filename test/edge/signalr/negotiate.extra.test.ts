// The negotiation asks the account of its user: a client that may not connect is refused here.

import { expect, it } from "vitest";
import { post } from "../../rooms/relay/client.ts";
import { ask } from "../rest/service.ts";

const now = () => Math.floor(Date.now() / 1000);

async function negotiated(user: string): Promise<[number, string, string] | [number]> {
  const path = "/hubs/relayed/negotiate?negotiateVersion=1";
  const response = await post(path, user, { jti: "n", iat: now() });
  const { error } = await response.json<{ error?: { code: string; message: string } }>();
  return error ? [response.status, error.code, error.message] : [response.status];
}

it("is 401 with a token that was revoked, and 403 to a user who is banned", async () => {
  const user = "/hubs/relayed/users/gone";
  expect((await negotiated("gone"))[0]).toBe(200);
  await ask("POST", `${user}/:revoke`, { body: { jti: "n" } });
  expect(await negotiated("gone")).toEqual([401, "token_revoked", "The token was revoked."]);
  await ask("POST", `${user}/:ban`, { body: { seconds: 60, reason: "Rude." } });
  expect(await negotiated("gone")).toEqual([403, "banned", "This user is banned: Rude."]);
  expect((await negotiated("here"))[0]).toBe(200);
});
