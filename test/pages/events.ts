// A page that reads rooms by the browser's own EventSource and by our `events`, and tells what it was told:
// e2e/event-source.test.ts listens.

import { events, type HubError } from "../../src/client/index.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";

/** An event as it came; `id` says where the reader stands then. */
export interface Told {
  readonly type: string;
  readonly id: string;
  /** JSON; of `error`, the state of the EventSource: 2, where it has given up. */
  readonly data: string;
}

/** By the test. */
declare function tell(reader: "source" | "iterable", told: Told): void;

const WORDS = ["connected", "recovered", "reset", "presence", "end", "error"];
const METHODS = ["receiveMessage", "userJoined", "userLeft"];

function listen(url: string): void {
  const source = new EventSource(url);
  const hear = ({ type, data = `${source.readyState}`, lastEventId = "" }: Said) =>
    tell("source", { type, data, id: lastEventId });
  for (const name of [...WORDS, ...METHODS]) source.addEventListener(name, hear);
}

type Said = Event & { readonly data?: string; readonly lastEventId?: string };

async function iterate(hub: string, rooms: Rooms, token: string): Promise<void> {
  // As fast as the EventSource: rooms keep 100 messages, and it is loud in them.
  const options = { rooms, token, backoff: { capMs: 1_000 } };
  for await (const event of events<ChatHub>(hub, options)) {
    if (event.type === "reconnecting") continue;
    const said = { hello: undefined, change: undefined, ...event };
    const data = JSON.stringify(said.params ?? said.hello ?? said.change);
    tell("iterable", { type: said.method ?? said.type, id: said.id, data });
  }
}

type Rooms = readonly ["group:a", "group:b", "group:c"];

/** Why it may not read the room. */
async function refusal(hub: string, room: "user:bob", token: string): Promise<string> {
  try {
    for await (const { type } of events<ChatHub>(hub, { room, token })) return type;
    return "nothing";
  } catch (error) {
    return (error as HubError).code;
  }
}

export interface Page {
  readonly listen: typeof listen;
  readonly iterate: typeof iterate;
  readonly refusal: typeof refusal;
}
Object.assign(globalThis, { listen, iterate, refusal } satisfies Page);
