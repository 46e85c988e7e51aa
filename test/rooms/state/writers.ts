// Writers that do not give up: each run has a key, and is repeated under it until it is answered.

import { exports } from "cloudflare:workers";
import { ask } from "../../edge/rest/service.ts";
import { Client, enter, token, upgrade, type Frame } from "../client.ts";

export interface WrittenRun {
  readonly action: string;
  readonly params: readonly unknown[];
  readonly key: string;
}

export interface Answer {
  readonly result: unknown;
  /** `epoch:offset` */
  readonly position: string;
}

/** One attempt: undefined where it is unknown what became of it, or where it was refused for now. */
type Attempt = (run: WrittenRun) => Promise<Answer | undefined>;

const LATER = ["internal", "unavailable", "interrupted", "rate_limited", "busy", "timed_out"];

function answerOf({ result, error }: Frame): Answer | undefined {
  if (result) return result as Answer;
  if (LATER.includes(error!.data.code)) return undefined;
  throw new Error(error!.data.code);
}

/** Over a socket, which is opened again where it has closed. */
function bySocket(open: () => Promise<Client>, more: object): Attempt {
  let client: Client | undefined;
  return async ({ action, params, key }) => {
    client ??= await open();
    const own = client;
    const call = own.call("$/run", { ...more, action, params, idempotencyKey: key });
    const closed = own.closed.then(() => void (client = undefined));
    const answered = await Promise.race([call, closed]);
    return answered ? answerOf(answered) : undefined;
  };
}

async function openHub(hub: string, user: string): Promise<Client> {
  const { webSocket } = await upgrade(`/hubs/${hub}/rpc?access_token=${await token(user)}`);
  if (!webSocket) throw new Error("Refused.");
  return new Client(webSocket);
}

export const WRITERS: Readonly<
  Record<string, (at: { hub: string; room: string; user: string }) => Attempt>
> = {
  "a socket of the room": ({ hub, room, user }) =>
    bySocket(() => enter(`${hub}/${room}`, { user }), {}),
  "a socket of the hub": ({ hub, room, user }) => bySocket(() => openHub(hub, user), { room }),
  POST:
    ({ hub, room, user }) =>
    async ({ action, params, key }) => {
      const run = { room, action, params, idempotencyKey: key };
      const response = await exports.default.fetch(`https://edge.example/hubs/${hub}/rpc`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${await token(user)}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "$/run", params: run }),
      });
      if (response.status !== 200) return void (await response.body?.cancel());
      return answerOf(await response.json<Frame>());
    },
  REST:
    ({ hub, room }) =>
    async ({ action, params, key }) => {
      const path = `/hubs/${hub}/rooms/${encodeURIComponent(room)}/:run/${action}`;
      const body = { arguments: params, idempotency_key: key };
      const response = await ask("POST", path, { body });
      if (response.status >= 429) return void (await response.body?.cancel());
      const { result, epoch, offset } = await response.json<
        Answer & { readonly epoch: string; readonly offset: number }
      >();
      return { result, position: `${epoch}:${offset}` };
    },
};

/** Throws what a room refuses for good. */
export async function persistently(attempt: Attempt, run: WrittenRun): Promise<Answer> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one attempt after another
    const answer = await attempt(run).catch((error: Error) => {
      if (/^[a-z_]+$/.test(error.message)) throw error;
    });
    if (answer) return answer;
    // oxlint-disable-next-line no-await-in-loop
    await scheduler.wait(2);
  }
}
