// Paths that one reader takes for another hub or room than the next: none of them lets a client in without a token.

import { exports } from "cloudflare:workers";
import { expect, it } from "vitest";

const statusAt = async (path: string, method: string): Promise<number> => {
  const response = await exports.default.fetch(`https://edge.example${path}`, {
    method,
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    ...(method === "POST" && { body: '{"jsonrpc":"2.0","id":1,"method":"whoami"}' }),
  });
  await response.body?.cancel();
  return response.status;
};

/** `guests` admits guests, `chat` does not. */
it.each([
  "/hubs/guests%2Frpc",
  "/hubs/guests/../chat/rpc",
  "/hubs/guests/%2e%2e/chat/rpc",
  "/hubs/guests%2F..%2Fchat/rpc",
  "/hubs/guests;chat/rpc",
  "/hubs/guests%20/rpc",
  "/hubs/guests%00/rpc",
  "/hubs/gue%C5%BFts/rpc",
  "/hubs/guests/%67roups/a",
  "/hubs//guests/rpc",
  "//hubs/guests/rpc",
  "/HUBS/guests/rpc",
  "/parties/guests%2Fgroup:a/group:b",
  "/parties/guests/order:1",
  "/parties/guests/all",
  "/parties/guests/:a",
  "/guests//rpc",
  "/client/?hub=guests",
  "/%63lient/?hub=guests",
  "/hubs/constructor/rpc",
  "/hubs/__proto__/rpc",
])("%s", async (path) => {
  for (const method of ["GET", "POST"])
    expect([401, 403, 404, 405]).toContain(await statusAt(path, method));
});

it("a slash at the end of a path of the application's own changes nothing", async () => {
  expect(await statusAt("/guests/rpc/", "POST")).toBe(200);
  expect(await statusAt("/guests/street/", "GET")).toBe(200);
});
