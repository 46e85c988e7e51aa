// The four ways: what is prepared for each, which frame or request begins it, and which frames end it.

import { once } from "node:events";

/** An endpoint whose worker is test/support/way-worker.ts. */
export interface Target {
  /** Without a slash at the end. */
  readonly url: string;
  token(user: string): Promise<string>;
}

/** Empties the trace; what the worker enters from here on belongs to the way. */
type Begin = () => Promise<void>;

export interface Way {
  readonly title: string;
  /** Resolves with the frames that end it, once they are here. */
  drive(target: Target, begin: Begin): Promise<readonly string[]>;
}

const RECORD_END = "\u001e";
const HANDSHAKE = `{"protocol":"json","version":1}${RECORD_END}`;
/** Longest wait for a frame, milliseconds. */
const FRAME_MS = 10_000;
/** Calls before the measured one, so that it finds every cache filled. */
const WARM_UP = 3;

export const WAYS: readonly Way[] = [
  {
    title: "publish in a room → log → fan-out",
    async drive(target, begin) {
      const room = await openRoom(target, "alice", "published");
      const second = await openRoom(target, "bob", "published");
      const publish = (text: string) => {
        const frames = [room.frameWith(`"${text}"`), second.frameWith(`"${text}"`)];
        const params = ["published", text];
        room.send(JSON.stringify({ jsonrpc: "2.0", id: text, method: "publish", params }));
        return Promise.all(frames);
      };
      await warmUp(publish);
      await begin();
      return publish("measured");
    },
  },
  {
    title: "SignalR invocation, relay → room → back",
    async drive(target, begin) {
      const relay = await openHub(target, await negotiate(target, "alice"));
      const invoke = (id: string, name: string, ...rest: string[]) => {
        const record = { type: 1, invocationId: id, target: name, arguments: ["invoked", ...rest] };
        const completion = relay.frameWith(`"type":3,"invocationId":"${id}"`);
        relay.send(JSON.stringify(record) + RECORD_END);
        return completion;
      };
      const publish = (text: string) =>
        Promise.all([relay.frameWith(`["${text}"]`), invoke(text, "Publish", text)]);
      await invoke("join", "Join");
      await warmUp(publish);
      await begin();
      return publish("measured");
    },
  },
  {
    title: "cold connect to a room",
    async drive(target, begin) {
      await begin();
      const room = await openRoom(target, "alice", "cold");
      return [room.first];
    },
  },
  {
    title: "cold SignalR negotiate and connect",
    async drive(target, begin) {
      await begin();
      const relay = await openHub(target, await negotiate(target, "alice"));
      return [relay.first];
    },
  },
];

async function warmUp(publish: (text: string) => Promise<unknown>): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one publication after another
  for (let n = 0; n < WARM_UP; n++) await publish(`warm-up ${n}`);
}

async function openRoom(target: Target, user: string, name: string): Promise<OpenClient> {
  const token = await target.token(user);
  const client = connect(target, `/hubs/way/groups/${name}?access_token=${token}`);
  return { ...client, first: await client.frameWith('"$/connected"') };
}

async function negotiate(target: Target, user: string): Promise<string> {
  const token = await target.token(user);
  const headers = { authorization: `Bearer ${token}` };
  const url = `${target.url}/hubs/way/negotiate?negotiateVersion=1`;
  const response = await fetch(url, { method: "POST", headers });
  const { connectionToken } = (await response.json()) as { connectionToken: string };
  return `/hubs/way?id=${connectionToken}&access_token=${token}`;
}

/** SignalR: the first frame is the handshake response. */
async function openHub(target: Target, path: string): Promise<OpenClient> {
  const client = connect(target, path);
  await client.open;
  const first = client.frameWith(`{}${RECORD_END}`);
  client.send(HANDSHAKE);
  return { ...client, first: await first };
}

interface Client {
  readonly open: Promise<unknown>;
  send(frame: string): void;
  /** The next frame that contains the text. Rejects if the socket closes first, or after 10 s. */
  frameWith(text: string): Promise<string>;
}

interface OpenClient extends Client {
  readonly first: string;
}

function connect({ url }: Target, path: string): Client {
  const socket = new WebSocket(`${url.replace("http", "ws")}${path}`);
  return {
    open: once(socket, "open"),
    send: (frame) => socket.send(frame),
    frameWith: (text) => nextFrame(socket, text),
  };
}

function nextFrame(socket: WebSocket, text: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const fail = (reason: string) => reject(new Error(`No frame with ${text}: ${reason}`));
  const timer = setTimeout(() => fail(`none within ${FRAME_MS} ms`), FRAME_MS);
  socket.addEventListener("message", ({ data }) => {
    if (String(data).includes(text)) resolve(String(data));
  });
  socket.addEventListener("close", ({ code }) => fail(`closed with ${code}`));
  return promise.finally(() => clearTimeout(timer));
}
