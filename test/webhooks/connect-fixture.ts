// A connect webhook with answers of the test's choice, and client requests that cause its calls.

import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, onTestFinished, vi } from "vitest";
import type { EndpointEnv } from "../../src/server.ts";
import { Client, token, upgrade, type Frame } from "../rooms/client.ts";
import { Receiver, SECRET, type Answer } from "./receiver.ts";

export let receiver: Receiver;
export const set = (changes: Partial<EndpointEnv>) => Object.assign(env, changes);
export const logged: string[] = [];
/** Hooks of the file that calls it: a webhook for each test, and its settings taken back. */
export function withConnectWebhook(): void {
  beforeEach(() => {
    receiver = new Receiver();
    logged.length = 0;
    set({ WEBHOOK_CONNECT_URL: receiver.urls.connect, WEBHOOK_SECRET: SECRET });
    for (const level of ["warn", "error"] as const)
      vi.spyOn(console, level).mockImplementation((text: string) => void logged.push(text));
  });
  afterEach(() => {
    set({
      WEBHOOK_CONNECT_URL: "",
      WEBHOOK_URL: "",
      WEBHOOK_SECRET: "",
      WEBHOOK_EVENTS: "",
    });
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}

export const granting =
  (claims: object): Answer =>
  () =>
    Response.json({ claims });
export const answering =
  (status: number, body: BodyInit | null = null): Answer =>
  () =>
    new Response(body, { status });
export const STAFF = { roles: ["Admin"], permissions: ["users.manage"] };

export const ended = <R extends Response>(response: R): R => {
  onTestFinished(async () => {
    response.webSocket?.accept();
    response.webSocket?.close(1000);
    if (!response.webSocket) await response.body?.cancel().catch(() => {});
  });
  return response;
};
const bearer = async (claims: object) => ({
  authorization: `Bearer ${await token("alice", { ...claims })}`,
});
export const ask = async (path: string, init: RequestInit = {}, claims = {}) =>
  ended(
    await exports.default.fetch(`https://edge.example${path}`, {
      ...init,
      headers: { ...init.headers, ...(await bearer(claims)) },
    }),
  );
export const call = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "broadcastAlert",
  params: ["fire"],
});
export const upgrading = { headers: { upgrade: "websocket" } };

export async function inRoom(room: string, claims = {}): Promise<Client> {
  const response = await upgrade(`/parties/${room}?access_token=${await token("alice", claims)}`);
  if (!response.webSocket) throw new Error(`Refused: ${response.status}`);
  const client = new Client(response.webSocket);
  client.hello = await client.said("$/connected");
  onTestFinished(() => client[Symbol.dispose]());
  return client;
}
export const codeOf = ({ error }: Frame) => error?.data.code;
