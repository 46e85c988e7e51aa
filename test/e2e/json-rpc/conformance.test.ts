// The JSON-RPC 2.0 specification, its examples first, over every transport of a whole hub.

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../../support/endpoint.ts";
import { sharedTestEndpoint } from "../../support/shared-endpoint.ts";
import { Client, type Frame } from "../client.ts";
import { CARRIED_OUT, EXAMPLES, RULES } from "./specification.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedTestEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

/** What a text is answered with: nothing, or one answer, as parsed. */
type Exchange = (text: string, user?: string) => Promise<unknown[]>;

async function entered(user?: string): Promise<Client> {
  const token = await endpoint.token(user ?? "alice");
  const url = `ws://127.0.0.1:${endpoint.port}/hubs/spec/rpc?access_token=${token}`;
  return new Client(url, {}).greeted();
}

/** Calls of a connection are answered in turn: all that comes before the answer to a last one is the text's. */
const bySocket: Exchange = async (text, user) => {
  using client = await entered(user);
  const frames: unknown[] = [];
  client.socket.on("message", (data: Buffer) => void frames.push(JSON.parse(data.toString())));
  client.send(text);
  const last = await client.call("get_data");
  const isAnswer = (frame: object) => !("method" in frame) && (frame as Frame).id !== last.id;
  return (frames as object[]).filter(isAnswer);
};

const byPost: Exchange = async (text, user = "alice") => {
  const authorization = `Bearer ${await endpoint.token(user)}`;
  const response = await fetch(`${endpoint.url}/hubs/spec/rpc`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: text,
  });
  const body = await response.text();
  const answers = body === "" ? [] : [JSON.parse(body)];
  expect(response.status).toBe(statusOf(answers));
  return answers;
};

/** 400 for what is no call and no batch at all; otherwise errors are answers like others. */
function statusOf([answer]: { error?: { code: number } }[]): number {
  if (answer === undefined) return 204;
  return [-32700, -32600].includes(answer.error?.code ?? 0) ? 400 : 200;
}

describe.each<[name: string, exchange: Exchange]>([
  ["a WebSocket", bySocket],
  ["POST", byPost],
])("the specification over %s", (_name, exchange) => {
  it.each(EXAMPLES)("%s", async (_title, text, answers) => {
    expect(await exchange(text)).toEqual(answers);
  });

  it.each(RULES)("by which %s", async (_title, text, answers) => {
    expect(await exchange(text)).toEqual(answers);
  });

  it.each(CARRIED_OUT)("carries out what is notified in %s", async (title, heard) => {
    const user = randomUUID();
    using listener = await entered(user);
    await listener.result("$/join", { room: `group:${user}` });
    await exchange(EXAMPLES.find(([of]) => of === title)![1], user);
    for (const params of heard) expect((await listener.said("heard")).params).toEqual(params);
  });
});
