// What a platform has to show of the client: a connection with a call and a message, and a stream of events. Runs in
// Node, Deno, Bun, pages, workers and service workers, and so uses nothing that one of them lacks.

import { connect, events, type WebSocketClass } from "../../src/client/index.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";

export interface Task {
  /** Absolute URL of the chat hub. */
  readonly hub: string;
  /** The name of a group that nobody else uses. */
  readonly room: string;
  readonly token: string;
  readonly WebSocket?: WebSocketClass;
}

export interface Tried {
  /** Texts that the connection received, then those of the stream. */
  readonly heard: readonly string[];
  readonly read: readonly string[];
  /** `code: message` where the connection was not to be had. */
  readonly error?: string;
}

export async function tryClient({ hub, room, token, ...given }: Task): Promise<Tried> {
  const heard: string[] = [];
  const chat = connect<ChatHub>(hub, {
    ...{ room: `group:${room}`, token, ...given },
    handlers: { receiveMessage: (_user, text) => heard.push(text) },
  });
  try {
    await chat.ready;
  } catch (error) {
    const { code, message } = error as Error & { readonly code: string };
    return { heard, read: [], error: `${code}: ${message}` };
  }
  const read: string[] = [];
  for await (const event of events<ChatHub>(hub, { room: `group:${room}`, token })) {
    if (event.type === "connected") await chat.invoke.sendToRoom(room, "hello");
    if (event.method !== "receiveMessage") continue;
    read.push(event.params[1]);
    break;
  }
  chat.close();
  return { heard, read };
}
