// A client that the endpoint has admitted, as the worker hands it to the object that will hold its socket. Objects
// trust arrivals: only the endpoint's own worker reaches them.

import { HubError } from "../../model/errors.ts";
import type { ConnectRequest } from "../../model/client-request.ts";
import type { Transport } from "../../model/options.ts";
import type { Position } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";

/** How a JSON-RPC client continues, and whether it will send heartbeats. */
export interface Continuation {
  /**
   * Id of its connection before. It ends, if the same object holds it; messages that excluded it are not replayed to
   * this one.
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
  /** Version of our own client, as it says; absent for other clients. */
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
  /** Which of its user's clients it is, as the client itself names it. */
  readonly client?: string;
  readonly transport?: BridgedTransport;
  /** The worker reports, as text on the socket, how many characters of frames the client has taken since the last. */
  readonly reportsTaken?: true;
  /** It is one of Microsoft's clients, which ping by themselves. Absent where its first request does not say so. */
  readonly pings?: true;
}

/** Transports that the worker bridges to a socket of the object. */
export type BridgedTransport = Exclude<Transport, "WebSockets">;

/** A JSON-RPC client of a whole hub, to a relay. */
export interface JsonRpcArrival extends Continuation {
  readonly kind: "rpc";
  readonly user: User;
  readonly request: ConnectRequest;
  /** Whether it takes arrays of messages in one frame, as our own client does. */
  readonly arrays: boolean;
  /** As in `RoomArrival`. */
  readonly version?: string;
}

/** A JSON-RPC request over HTTP, to a relay: a connection for as long as the request lasts. */
export interface HttpCallArrival {
  readonly user: User;
  readonly request: ConnectRequest;
  /** Random part of the connection's id, by which the request can be given up; a secret of the worker. */
  readonly random: string;
}

const HEADER = "x-dormouse-arrival";
/** When the worker handed it over, milliseconds since 1970. */
const SENT_AT = "x-dormouse-sent-at";

/** The `fetch` of a stub, without the platform's types: the package's declarations compile in Node too. */
export interface ObjectFetch {
  fetch(
    input: string | Request,
    init?: { readonly headers: Record<string, string> },
  ): Promise<Response>;
}

/** Opens a socket to an object for a client, with none of the client's own headers. */
export function handOver(object: ObjectFetch, arrival: object): Promise<Response> {
  const sentAt = String(Date.now());
  const headers = { upgrade: "websocket", [HEADER]: asciiJson(arrival), [SENT_AT]: sentAt };
  return object.fetch("https://room/", { headers });
}

/** When the worker sent it. The clocks of two machines may differ. */
export const sentAtOf = ({ headers }: Request): number => Number(headers.get(SENT_AT) ?? Infinity);

/** The code under which an object refused a client; null where it let the client in. */
export const refusalCodeOf = ({ headers }: Response): string | null =>
  headers.get("x-dormouse-error");

/** Reads the arrival in an object. Throws `unauthorized` where the request is not from the endpoint's worker. */
export function arrivalOf<T>(request: Request): T {
  const header = request.headers.get(HEADER);
  if (!header) throw new HubError("unauthorized", "Only the endpoint's worker may connect here.");
  return JSON.parse(header) as T;
}

/** JSON has no control characters, so that escaped to ASCII it is a valid header value. */
const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    // oxlint-disable-next-line no-control-regex -- every character outside ASCII
    /[^\x00-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
