// An argument that does not fit, in each protocol but SignalR's: its place, its path, what was expected and what came.
// SignalR's are in test/dispatch/run/refused-calls.extra.test.ts.

import { exports } from "cloudflare:workers";
import { expect, it } from "vitest";
import { token } from "../rooms/client.ts";
import { ask } from "./rest/service.ts";

const post = async (path: string, body: object) => {
  const answer = await exports.default.fetch(`https://edge.example${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${await token("alice")}`,
      "content-type": "application/json",
      "connect-protocol-version": "1",
    },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as { error?: { message: string }; message?: string };
};

const WRONG = [["id", 8], "hello"];
const SENTENCE = /^Argument 1 \(1\): .*expected string, received number$/;

it("in JSON-RPC", async () => {
  const call = { jsonrpc: "2.0", id: 1, method: "sayTo", params: WRONG };
  expect((await post("/hubs/relayed/rpc", call)).error!.message).toMatch(SENTENCE);
});

it("in Connect and gRPC", async () => {
  const call = { hub: "relayed", method: "sayTo", arguments: WRONG };
  expect((await post("/dormouse.v1.Hub/Invoke", call)).message).toMatch(SENTENCE);
});

it.each<[object, string]>([
  [{ target: 7 }, "body.target: Invalid input: expected string, received number"],
  [
    { target: "" },
    "body.target: Too small: expected string to have >=1 characters (received: string of 0 characters)",
  ],
  [{ target: "x", more: 1 }, 'body: Unrecognized key: "more" (received: object)'],
])("in REST: %j", async (body, message) => {
  const answer = await ask("POST", "/hubs/relayed/rooms/group:x/:publish", { body });
  expect(await answer.json()).toMatchObject({ code: "invalid_arguments", message });
});
