// URLs of the REST API: the hub's base URLs from the options, and path segments from names. Pure.

import { HubError } from "../../model/errors.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import type { BackendOptions } from "./backend-options.ts";

export interface Addresses {
  /** `https://host/api/hubs/orders` */
  readonly api: string;
  /** The URL that `negotiate` sends SignalR clients to: `https://host/client/?hub=orders`. */
  readonly client: string;
}

const HUB = /^(.*)\/hubs\/([^/]+)\/*$/;

/** `url` is the address that clients have. Throws a TypeError if it is not a hub's URL. */
export function addressesOf(url: string): Addresses {
  // Text without a scheme is no URL at all. Node 20 has no `URL.parse`.
  const { protocol, host, pathname } = new URL(URL.canParse(url) ? url : "none:");
  const [, prefix, hub] = HUB.exec(pathname) ?? [];
  if (!/^(https?|wss?):$/.test(protocol) || hub === undefined)
    throw new TypeError("`url` is a hub's address: https://host/hubs/orders.");
  const base = `${/^(http|ws):$/.test(protocol) ? "http" : "https"}://${host}${prefix}`;
  return { api: `${base}/api/hubs/${hub}`, client: `${base}/client/?hub=${hub}` };
}

/** The hub's address, from `url`, or from a connection string and the hub's name. */
export function hubUrlOf(options: BackendOptions): string {
  if (!("connectionString" in options)) return options.url;
  const { endpoint } = parseConnectionString(options.connectionString);
  return `${endpoint}/hubs/${segment(options.hub)}`;
}

/** Throws a TypeError whose message does not contain the text, since the text contains a key. */
export function parseConnectionString(text: string): { endpoint: string; accessKey: string } {
  const fields = new Map(text.split(";").map(fieldOf));
  const [endpoint, accessKey] = [fields.get("endpoint"), fields.get("accesskey")];
  if (!endpoint || !accessKey || !URL.canParse(endpoint))
    throw new TypeError("A connection string is Endpoint=https://host;AccessKey=…;Version=1.0;");
  const url = new URL(endpoint);
  // Connection strings of Azure's SignalR emulator have the port in a field of its own.
  const port = fields.get("port");
  if (port !== undefined) url.port = port;
  return { endpoint: url.href.replace(/\/+$/, ""), accessKey };
}

/** Splits at the first `=`, since a key in base64 may end in `=`. Names are case-insensitive. */
function fieldOf(field: string): readonly [name: string, value: string] {
  const [name = "", ...value] = field.split("=");
  return [name.trim().toLowerCase(), value.join("=").trim()];
}

/** Values of the query. One that is undefined is left out; each of a list is a parameter. */
export type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export function urlWith(path: string, query: Query): URL {
  const url = new URL(path);
  for (const [name, values] of Object.entries(query))
    for (const value of values === undefined ? [] : [values].flat())
      url.searchParams.append(name, `${value}`);
  return url;
}

export const roomPath = (topic: Topic): string =>
  `/rooms/${encodeURIComponent(formatTopic(topic))}`;

/**
 * One segment of a path: the id of a connection, or the name of a user, group or hub without its kind. Throws
 * `invalid_name`.
 */
export function segment(name: string): string {
  // URL parsers remove the segments `.` and `..` from paths, percent-encoded or not.
  if (name === "" || name === "." || name === ".." || !name.isWellFormed())
    throw new HubError("invalid_name", "A name is empty, or consists of dots.");
  return encodeURIComponent(name);
}
