// A page that reads rooms by the browser's own EventSource and by our `events`, and reports every event to
// e2e/event-source.test.ts.

import { events, type HubError } from "../../src/client/index.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";

/** A received event. `id` holds the reader's positions after it. */
export interface Told {
  readonly type: string;
  readonly id: string;
  /** JSON. For `error` the `readyState` of the EventSource: 2 if it does not reconnect. */
  readonly data: string;
}

/** Defined in the page by the test. */
declare function tell(reader: "source" | "iterable", event: Told): void;

const PROTOCOL_EVENTS = ["connected", "recovered", "reset", "presence", "end", "error"];
const METHODS = ["receiveMessage", "userJoined", "userLeft"];

function listen(url: string): void {
  const source = new EventSource(url);
  const report = ({ type, data = `${source.readyState}`, lastEventId = "" }: AnyEvent) =>
    tell("source", { type, data, id: lastEventId });
  for (const name of [...PROTOCOL_EVENTS, ...METHODS]) source.addEventListener(name, report);
}

type AnyEvent = Event & { readonly data?: string; readonly lastEventId?: string };

async function iterate(hub: string, rooms: Rooms, token: string): Promise<void> {
  // Reconnects as fast as the EventSource: rooms keep only 100 messages, and the test publishes many.
  const options = { rooms, token, backoff: { capMs: 1_000 } };
  for await (const event of events<ChatHub>(hub, options)) {
    if (event.type === "reconnecting") continue;
    const { type, method, id, params, hello, change } = {
      hello: undefined,
      change: undefined,
      ...event,
    };
    const data = JSON.stringify(params ?? hello ?? change);
    tell("iterable", { type: method ?? type, id, data });
  }
}

type Rooms = readonly ["group:a", "group:b", "group:c"];

/** The error code of the refusal to read the room. */
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
