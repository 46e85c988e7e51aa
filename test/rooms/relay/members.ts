// One client of each protocol and transport, alike for a test: what it heard, and how it brings a fresh token.

import { decodeMulti } from "@msgpack/msgpack";
import { exports } from "cloudflare:workers";
import { Client, token, upgrade } from "../client.ts";
import { SignalR, type Negotiated } from "./client.ts";

export type Claims = Record<string, unknown>;

export interface Who {
  readonly hub: string;
  readonly user: string;
  readonly claims: Claims;
  /** The room that a socket of one room comes for. */
  readonly room: string;
  /** Receives every call of a client method, under its name in SignalR. */
  readonly called?: (method: string, args: readonly unknown[]) => void;
}

export interface Member {
  /** First arguments of all `said` that came, in order. */
  readonly words: readonly string[];
  hears(word: string): Promise<void>;
  /** The rooms that it is told it has left. */
  refresh(claims: Claims): Promise<readonly string[]>;
  end(): void;
  /** Of its socket; never, where it has none. */
  readonly closed: Promise<{ readonly code: number }>;
}

/** Words that arrive, and who waits for one. */
function ear({ called }: Pick<Who, "called"> = {}) {
  const words: string[] = [];
  let waiting: (() => void)[] = [];
  return {
    words,
    take([method, args]: Call) {
      called?.(method, args);
      if (method === "Said") this.hear(args[0] as string);
    },
    hear(word: string) {
      words.push(word);
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
    async hears(word: string) {
      while (!words.includes(word)) await new Promise<void>((wake) => waiting.push(wake));
    },
  };
}

async function jsonRpc({ user }: Who, path: string, access: string): Promise<Member> {
  const response = await upgrade(`${path}access_token=${access}`);
  if (!response.webSocket) throw new Error(`Refused: ${response.status} ${await response.text()}`);
  const client = new Client(response.webSocket);
  await client.heardFrame(({ method }) => method === "$/connected");
  const { words, hear, hears } = ear();
  client.socket.addEventListener("message", ({ data }) => {
    for (const { method, params } of [JSON.parse(data as string)].flat())
      if (method === "said") hear(params[0]);
  });
  return {
    words,
    hears,
    closed: client.closed,
    end: () => client[Symbol.dispose](),
    async refresh(claims) {
      const { error } = await client.call("$/refresh", { token: await token(user, claims) });
      if (error) throw new Error(error.message);
      return client.messages("$/left").map(({ params }) => params.room);
    },
  };
}

/** `POST {hub}/refresh`, as anybody may send it. */
/** As the released client of .NET 11 sends it: the connection token in a header, no query. */
export async function postRefreshWithHeader(
  hub: string,
  id: string,
  access: string,
  query = "",
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await exports.default.fetch(`https://edge.example/hubs/${hub}/refresh${query}`, {
    method: "POST",
    headers: { authorization: `Bearer ${access}`, "x-signalr-connection-token": id },
  });
  return { status: response.status, body: await response.json() };
}

export async function postRefresh(hub: string, id: string, access: string, method = "POST") {
  const url = `https://edge.example/hubs/${hub}/refresh?id=${encodeURIComponent(id)}`;
  const response = await exports.default.fetch(url, {
    method,
    headers: { authorization: `Bearer ${access}` },
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

async function negotiated({ hub }: Who, access: string): Promise<Negotiated> {
  const url = `https://edge.example/hubs/${hub}/negotiate?negotiateVersion=1`;
  const headers = { authorization: `Bearer ${access}` };
  return (await exports.default.fetch(url, { method: "POST", headers })).json();
}

const refreshing =
  ({ hub, user }: Who, id: string): Member["refresh"] =>
  async (claims) => {
    const { status, body } = await postRefresh(hub, id, await token(user, claims));
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
    return body.dropped ?? [];
  };

const idOf = ({ connectionToken }: Negotiated) => encodeURIComponent(connectionToken);

async function signalrSocket(who: Who, access: string, protocol: "json" | "messagepack") {
  const given = await negotiated(who, access);
  const response = await upgrade(`/hubs/${who.hub}?id=${idOf(given)}&access_token=${access}`);
  const socket = response.webSocket!;
  const refresh = refreshing(who, given.connectionToken);
  const listening = ear(who);
  const { words, hears } = listening;
  const end = () => socket.close(1000);
  const closed = new Promise<{ code: number }>((resolve) =>
    socket.addEventListener("close", resolve),
  );
  if (protocol === "json") {
    const client = new SignalR(socket, given);
    client.say({ protocol, version: 1 });
    await client.shaken;
    socket.addEventListener("message", ({ data }) =>
      callsIn(data as string).forEach((one) => listening.take(one)),
    );
    return { words, hears, refresh, end, closed };
  }
  socket.binaryType = "arraybuffer";
  let isShaken = false;
  const shaken = new Promise<void>((resolve) =>
    socket.addEventListener("message", ({ data }) => {
      const bytes = new Uint8Array(data as ArrayBuffer);
      // A message may be as long as the code of `{`.
      const isHandshake = !isShaken;
      isShaken = true;
      if (isHandshake) resolve();
      else
        for (const [type, , , target, args] of messagesIn(bytes))
          if (type === 1) listening.take([target, args]);
    }),
  );
  socket.accept();
  socket.send(new TextEncoder().encode(`${JSON.stringify({ protocol, version: 1 })}\u001e`));
  await shaken;
  return { words, hears, refresh, end, closed };
}

/** An invocation's. */
type Message = [type: number, headers: object, id: unknown, target: string, args: unknown[]];
type Call = readonly [method: string, args: readonly unknown[]];

/** Each after its length, as a number of seven bits a byte. */
function* messagesIn(bytes: Uint8Array): Generator<Message> {
  for (let at = 0; at < bytes.length;) {
    let [size, shift] = [0, 0];
    do {
      size |= (bytes[at]! & 0x7f) << shift;
      shift += 7;
    } while (bytes[at++]! & 0x80);
    yield* decodeMulti(bytes.subarray(at, (at += size))) as Generator<Message>;
  }
}

const callsIn = (text: string): Call[] =>
  text.split("\u001e").flatMap((record) => {
    const call = record.startsWith('{"type":1,') ? JSON.parse(record) : undefined;
    return call ? [[call.target, call.arguments] as const] : [];
  });

/** Over HTTP: `GET` brings, `POST` takes. */
async function signalrHttp(who: Who, access: string, transport: "events" | "polls") {
  const given = await negotiated(who, access);
  const url = `https://edge.example/hubs/${who.hub}?id=${idOf(given)}`;
  const authorization = `Bearer ${access}`;
  const get = (headers = {}) =>
    exports.default.fetch(url, { headers: { authorization, ...headers } });
  const post = (body: string) =>
    exports.default.fetch(url, { method: "POST", headers: { authorization }, body });
  const handshake = () => post('{"protocol":"json","version":1}\u001e');
  const listening = ear(who);
  const { words, hears } = listening;
  const refresh = refreshing(who, given.connectionToken);
  const member = { words, hears, refresh, closed: new Promise<never>(() => {}) };
  if (transport === "polls") {
    await get();
    await handshake();
    let isOver = false;
    /** The answer to the handshake may come with messages. */
    const pollOnce = async (): Promise<number> => {
      const response = await get();
      const text = new TextDecoder().decode(await response.arrayBuffer());
      callsIn(text).forEach((one) => listening.take(one));
      return response.status;
    };
    const poll = async (): Promise<void> => {
      if ((await pollOnce()) === 200 && !isOver) return poll();
    };
    await pollOnce();
    void poll();
    const end = () => {
      isOver = true;
      void exports.default.fetch(url, { method: "DELETE", headers: { authorization } });
    };
    return { ...member, end };
  }
  const stream = (await get({ accept: "text/event-stream" })).body!;
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let shaken!: () => void;
  const whenShaken = new Promise<void>((resolve) => (shaken = resolve));
  const read = async (): Promise<void> => {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\r\n\r\n");
    rest = events.pop()!;
    for (const event of events) {
      const text = event.replaceAll(/^:.*\r\n/gm, "").replaceAll(/^data: /gm, "");
      if (text.includes("{}\u001e")) shaken();
      callsIn(text).forEach((one) => listening.take(one));
    }
    return read();
  };
  void read();
  await handshake();
  await whenShaken;
  return { ...member, end: () => void reader.cancel() };
}

type Kind = (who: Who, access: string) => Promise<Member>;

export const MEMBERS: Readonly<Record<string, Kind>> = {
  "JSON-RPC, one room": (who, access) => jsonRpc(who, `/parties/${who.hub}/${who.room}?`, access),
  "JSON-RPC, a whole hub": (who, access) => jsonRpc(who, `/hubs/${who.hub}/rpc?arrays=1&`, access),
  "SignalR, WebSockets, JSON": (who, access) => signalrSocket(who, access, "json"),
  "SignalR, WebSockets, MessagePack": (who, access) => signalrSocket(who, access, "messagepack"),
  "SignalR, Server-Sent Events": (who, access) => signalrHttp(who, access, "events"),
  "SignalR, long polling": (who, access) => signalrHttp(who, access, "polls"),
};

export const memberOf = async (kind: string, who: Who): Promise<Member> =>
  MEMBERS[kind]!(who, await token(who.user, who.claims));
