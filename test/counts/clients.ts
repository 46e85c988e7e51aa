// Clients of the counted hub, of one tenant: no two operations share an object. What a client needs to connect (its
// token) is made beforehand, so that only the server's work is counted.

import { exports } from "cloudflare:workers";
import { Client, token, upgrade } from "../rooms/client.ts";
import { SignalR, type Negotiated } from "../rooms/relay/client.ts";
import { ORIGIN, signedFor } from "../edge/rest/service.ts";

/** An operation runs for hours of the test's clock. */
const LIFE_SECONDS = 7 * 86_400;
const MICROSOFTS = { "x-signalr-user-agent": "Microsoft SignalR/10.0 (10.0.1; Node)" };

const HUB = "counted";

type Connect<T> = () => Promise<T>;

export class Tenant {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  async #token(user: string): Promise<string> {
    const exp = Math.floor(Date.now() / 1000) + LIFE_SECONDS;
    return token(user, { tid: this.#name, exp });
  }

  /** A client that enters a room, as the library does. */
  async room(user: string, group: string, hub = HUB): Promise<Connect<Client>> {
    const query = `access_token=${await this.#token(user)}&heartbeat=1`;
    return () => entered(`/parties/${hub}/group:${group}?${query}`);
  }

  /** A client of the whole hub, on a relay, in JSON-RPC. */
  async hub(user: string): Promise<Connect<Client>> {
    const query = `access_token=${await this.#token(user)}&heartbeat=1`;
    return () => entered(`/hubs/${HUB}/rpc?${query}`);
  }

  /** Microsoft's client: it negotiates, connects, shakes hands and joins groups. */
  async signalr(user: string, ...groups: string[]): Promise<Connect<SignalR>> {
    const bearer = await this.#token(user);
    return async () => {
      const client = await shaken(bearer);
      for (const group of groups) await client.call("Join", group);
      return client;
    };
  }

  /** Publishes in a group, as a back end that keeps its token for each URL. */
  async publisher(group: string): Promise<(text: string) => Promise<unknown>> {
    const url = `${ORIGIN}/api/hubs/${HUB}/rooms/group:${group}/:publish`;
    const exp = Math.floor(Date.now() / 1000) + LIFE_SECONDS;
    const bearer = await signedFor(url, { claims: { tid: this.#name, exp } });
    return (text) => post(url, bearer, { target: "said", arguments: [text] });
  }

  /** Calls `echo` in JSON-RPC, without a connection. */
  async poster(user: string): Promise<(text: string) => Promise<unknown>> {
    const bearer = await this.#token(user);
    const call = { jsonrpc: "2.0", id: 1, method: "echo" };
    return (text) => post(`${ORIGIN}/hubs/${HUB}/rpc`, bearer, { ...call, params: [text] });
  }

  /** Calls `echo` by Connect. */
  async connecter(user: string): Promise<(text: string) => Promise<unknown>> {
    const bearer = await this.#token(user);
    const url = `${ORIGIN}/dormouse.v1.Hub/Invoke`;
    return (text) => post(url, bearer, { hub: HUB, method: "echo", arguments: [text] });
  }
}

async function entered(path: string): Promise<Client> {
  const response = await upgrade(path);
  if (!response.webSocket) throw new Error(`Refused: ${response.status} ${await response.text()}`);
  const client = new Client(response.webSocket);
  client.hello = await client.heardFrame(({ method }) => method === "$/connected");
  return client;
}

async function shaken(bearer: string): Promise<SignalR> {
  const headers = { authorization: `Bearer ${bearer}`, ...MICROSOFTS };
  const url = `${ORIGIN}/hubs/${HUB}/negotiate?negotiateVersion=1`;
  const answer = await exports.default.fetch(url, { method: "POST", headers });
  if (!answer.ok) throw new Error(`Refused: ${answer.status} ${await answer.text()}`);
  const negotiated: Negotiated = await answer.json();
  const id = encodeURIComponent(negotiated.connectionToken);
  const path = `/hubs/${HUB}?id=${id}&access_token=${bearer}`;
  const { webSocket, status } = await upgrade(path, MICROSOFTS);
  if (!webSocket) throw new Error(`Refused: ${status}`);
  const client = new SignalR(webSocket, negotiated);
  client.say({ protocol: "json", version: 1 });
  await client.shaken;
  return client;
}

async function post(url: string, bearer: string, body: object): Promise<unknown> {
  const answer = await exports.default.fetch(url, {
    method: "POST",
    headers: {
      ...{ authorization: `Bearer ${bearer}`, "content-type": "application/json" },
      "connect-protocol-version": "1",
    },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`Refused: ${answer.status} ${await answer.text()}`);
  const found = await answer.json<{ error?: object }>();
  if (found.error) throw new Error(JSON.stringify(found.error));
  return found;
}
