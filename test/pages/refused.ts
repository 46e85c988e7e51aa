// A page whose connections are refused, and which shows what an application learns of it (e2e/refused.test.ts).

import { connect, events, type HubError } from "../../src/client/index.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";

export interface Learned {
  readonly status: string;
  readonly code: string;
  readonly message: string;
  readonly action: string | undefined;
}

export interface Attempt {
  /** `https://host/hubs/chat` */
  readonly url: string;
  readonly token: string;
  /** Absent: the whole hub. */
  readonly room?: `group:${string}` | `user:${string}`;
}

const learned = (status: string, { code, message, action }: HubError): Learned => ({
  ...{ status, code, message, action },
});

/** The first error of a connection, and where the connection stands then. */
async function refusalOf({ url, token, room }: Attempt): Promise<Learned> {
  const connection = room
    ? connect<ChatHub>(url, { room, token })
    : connect<ChatHub>(url, { token });
  const { promise, resolve } = Promise.withResolvers<HubError>();
  connection.onError(resolve);
  const error = await promise;
  const { status } = connection.state;
  connection.close();
  return learned(status, error);
}

/** The same of an event stream: thrown where it is final, else the reason of its first reconnection. */
async function streamRefusalOf({ url, token, room = "group:lobby" }: Attempt): Promise<Learned> {
  try {
    for await (const event of events<ChatHub>(url, { room, token }))
      if (event.type === "reconnecting") return learned("reconnecting", event.error);
    throw new Error("The stream has ended.");
  } catch (error) {
    return learned("thrown", error as HubError);
  }
}

export interface RefusedPage {
  readonly refusalOf: typeof refusalOf;
  readonly streamRefusalOf: typeof streamRefusalOf;
}
Object.assign(globalThis, { refusalOf, streamRefusalOf } satisfies RefusedPage);
