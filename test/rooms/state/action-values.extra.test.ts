// Values of actions: digits, and what .NET's types look like in each protocol.

import { expect, it } from "vitest";
import { ask } from "../../edge/rest/service.ts";
import { Client, token, upgrade } from "../client.ts";
import { connected } from "../relay/client.ts";
import { packed } from "../relay/packed.ts";

const HUB = "state-values";
const LARGE = "9007199254740993";
const RUN = `/hubs/${HUB}/rooms/group%3Ag/:run/int64`;

async function hubSocket(): Promise<Client> {
  const response = await upgrade(`/hubs/${HUB}/rpc?access_token=${await token("alice")}`);
  return new Client(response.webSocket!);
}

/** What came that has this id, as text. */
async function frameOf(client: Client, request: string, id: string): Promise<string> {
  client.socket.send(request);
  await expect.poll(() => client.frames.some((frame) => frame.includes(id))).toBe(true);
  return client.frames.find((frame) => frame.includes(id))!;
}

it("an action's result keeps its digits in JSON-RPC, SignalR and REST", async () => {
  using rpc = await hubSocket();
  const named = `{"jsonrpc":"2.0","id":"named","method":"int64","params":["g",${LARGE}]}`;
  expect(await frameOf(rpc, named, '"named"')).toContain(`"result":${LARGE}`);
  const params = `{"room":"group:g","action":"int64","params":[${LARGE}]}`;
  const run = `{"jsonrpc":"2.0","id":"run","method":"$/run","params":${params}}`;
  expect(await frameOf(rpc, run, '"run"')).toContain(`"result":{"result":${LARGE},`);
  using json = await connected(HUB);
  const call = `{"type":1,"invocationId":"1","target":"Int64","arguments":["g",${LARGE}]}\u001e`;
  json.socket.send(call);
  await json.record(({ type }) => type === 3);
  expect(json.frames.join("")).toContain(`"result":${LARGE}`);
  using bob = await packed(HUB);
  expect(await bob.call("Int64", "g", BigInt(LARGE))).toBe(BigInt(LARGE));
  const rest = await ask("POST", RUN, { raw: `{"arguments":[${LARGE}]}` });
  expect(await rest.text()).toContain(`"result":${LARGE},`);
});
