// What a room says as Server-Sent Events: `event:` is what the hub calls, `data:` its arguments, `id:` where the client
// stands then.

/** JSON-RPC as objects write it. */
export interface Heard {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: unknown;
  readonly room?: string;
  readonly position?: string;
}

/** Of what `$/connected` says: where the room stands, and how much comes first. */
export interface Hello {
  readonly position: string;
  readonly recovered: boolean;
  readonly replayed: number;
}

export const isHello = ({ method }: Heard): boolean => method === "$/connected";

/** Wants an answer. */
export const isQuestion = ({ id, method }: Heard): boolean =>
  method !== undefined && id !== undefined;

/** Where a client that stood there stands now: still there, as long as the replay is under way and may be lost. */
const standAfter = (hello: Hello, stood: string | undefined): string =>
  stood !== undefined && hello.recovered && hello.replayed > 0 ? stood : hello.position;

/** Where this leaves a client of the room. What another room says has a place in that room only. */
export function placeAfter(room: string, heard: Heard, stood: string | undefined) {
  if (isHello(heard)) return standAfter(heard.params as Hello, stood);
  return isElsewhere(room, heard) ? undefined : heard.position;
}

/** Of another room that this connection follows: its user's, or all of the hub. */
const isElsewhere = (room: string, heard: Heard): boolean =>
  heard.room !== undefined && heard.room !== room;

export interface ServerSentEvent {
  readonly name: string;
  readonly data: unknown;
  readonly position?: string | undefined;
}

/** Undefined for what is none. The protocol's own words lose their `$/`. */
export function eventOf(
  room: string,
  heard: Heard,
  stood: string | undefined,
): ServerSentEvent | undefined {
  const { method = "", params } = heard;
  // Who comes and goes elsewhere: an event does not say where that is.
  if (method === "$/presence" && isElsewhere(room, heard)) return undefined;
  if (method === "$/reset") return { name: "reset", data: { room: heard.room } };
  const name = isHello(heard) ? beginning(params as Hello, stood) : wordOf(method);
  return { name, data: params, position: placeAfter(room, heard, stood) };
}

/** How a connection began says whether it is whole. */
function beginning({ recovered }: Hello, stood: string | undefined): string {
  if (stood === undefined) return "connected";
  return recovered ? "recovered" : "reset";
}

/** A name ends at a line's end. */
const wordOf = (method: string): string => method.replace(/^\$\//, "").replaceAll(/[\r\n]/g, " ");

export const textOf = ({ name, data }: ServerSentEvent, id: string | undefined): string =>
  `event: ${name}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
