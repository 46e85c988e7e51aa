// A client that the endpoint has admitted, on its way to the object that will hold its socket. Objects trust arrivals,
// because only the endpoint's own worker can call them.

import { HubError } from "../../model/errors.ts";
import type { ConnectRequest } from "../../model/client-request.ts";
import type { Transport } from "../../model/options.ts";
import type { Position } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";

/** The earlier connection of a JSON-RPC client, and whether it will send heartbeats. */
export interface Continuation {
  /**
   * Id of its earlier connection, which ends if the same object holds it. Messages that excluded it are not replayed to
   * the new one.
   */
  readonly previous?: string;
  /** It has announced pings. */
  readonly pings?: true;
}

/** A client of one room, to the room's own object. */
export interface RoomArrival extends Continuation {
  readonly user: User;
  /** The client's position in the room's log. */
  readonly since?: Position;
  /** The version that our own client sends; absent for other clients. */
  readonly version?: string;
  /** Trace context of its request. Other arrivals have it among the headers of `request`. */
  readonly trace?: string;
}

/** The same, to a relay of a room that is full. */
export interface OverflowArrival extends RoomArrival {
  readonly kind: "room";
  /** As a topic. */
  readonly room: string;
}

/** A SignalR client, to a relay. */
export interface SignalRArrival {
  readonly kind: "hub";
  readonly user: User;
  /** The connection token that negotiation gave it; absent where negotiation was skipped. */
  readonly token?: string;
  readonly request: ConnectRequest;
  /** The name that the client has given itself, among the clients of its user. */
  readonly client?: string;
  readonly transport?: BridgedTransport;
  /** The worker reports, as text on the socket, how many characters of frames the client has taken since the last. */
  readonly reportsTaken?: true;
  /** It is one of Microsoft's clients, which ping by themselves. Absent if its first request does not show that. */
  readonly pings?: true;
}

/** Transports that the worker bridges to a socket of the object. */
export type BridgedTransport = Exclude<Transport, "WebSockets">;

/** A JSON-RPC client of a whole hub, to a relay. */
export interface JsonRpcArrival extends Continuation {
  readonly kind: "rpc";
  readonly user: User;
  readonly request: ConnectRequest;
  /** Whether it accepts several messages as an array in one frame, like our own client. */
  readonly arrays: boolean;
  /** As in `SignalRArrival`, if the greeting has the same member: a relay with older code does not read reports. */
  readonly reportsTaken?: true;
  /** As in `RoomArrival`. */
  readonly version?: string;
}

/** A JSON-RPC request over HTTP, to a relay: a connection for as long as the request lasts. */
export interface HttpCallArrival {
  readonly user: User;
  readonly request: ConnectRequest;
  /** Random part of the connection's id, with which the worker can cancel the request; a secret of the worker. */
  readonly random: string;
}

const HEADER = "x-dormouse-arrival";
/** When the worker sent the arrival, milliseconds since 1970. */
const SENT_AT = "x-dormouse-sent-at";

/** The `fetch` of a stub, without the platform's types: the package's declarations compile in Node too. */
export interface ObjectFetch {
  fetch(
    input: string | Request,
    init?: { readonly headers: Record<string, string> },
  ): Promise<Response>;
}

/** Opens a socket to an object for a client, without the client's own headers. */
export function handOver(object: ObjectFetch, arrival: object): Promise<Response> {
  const sentAt = String(Date.now());
  const headers = { upgrade: "websocket", [HEADER]: asciiJson(arrival), [SENT_AT]: sentAt };
  return object.fetch("https://room/", { headers });
}

/** When the worker sent the arrival. The clocks of two machines may differ. */
export const sentAtOf = ({ headers }: Request): number => Number(headers.get(SENT_AT) ?? Infinity);

/** The code with which an object has refused a client; null if it was accepted. */
export const refusalCodeOf = ({ headers }: Response): string | null =>
  headers.get("x-dormouse-error");

/** Reads the arrival in an object. Throws `unauthorized` if the request is not from the endpoint's worker. */
export function arrivalOf<T>(request: Request): T {
  const header = request.headers.get(HEADER);
  if (!header) throw new HubError("unauthorized", "Only the endpoint's worker may connect here.");
  return JSON.parse(header) as T;
}

/** JSON as a header value: it has no control characters, and others are escaped to ASCII. */
const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    // oxlint-disable-next-line no-control-regex -- every character outside ASCII
    /[^\x00-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
