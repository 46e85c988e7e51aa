// Where a hub's services are: addresses out of options, and paths out of names. Pure.

import { HubError } from "../../model/errors.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import type { BackendOptions } from "./backend-options.ts";

export interface Addresses {
  /** `https://host/api/hubs/orders` */
  readonly api: string;
  /** Where SignalR's clients are sent: `https://host/client/?hub=orders`. */
  readonly client: string;
}

const HUB = /^(.*)\/hubs\/([^/]+)\/*$/;

/** Throws a TypeError where the address is none of a hub. */
export function addressesOf(url: string): Addresses {
  const { protocol, host, pathname } = new URL(url);
  const [, prefix, hub] = HUB.exec(pathname) ?? [];
  if (!/^(https?|wss?):$/.test(protocol) || hub === undefined)
    throw new TypeError("`url` is a hub's address: https://host/hubs/orders.");
  const base = `${/^(http|ws):$/.test(protocol) ? "http" : "https"}://${host}${prefix}`;
  return { api: `${base}/api/hubs/${hub}`, client: `${base}/client/?hub=${hub}` };
}

/** The same three things, however they were given: the hub's address and a key, or a token. */
export function hubUrlOf(options: BackendOptions): string {
  if (!("connectionString" in options)) return options.url;
  const { endpoint } = parseConnectionString(options.connectionString);
  return `${endpoint}/hubs/${segment(options.hub)}`;
}

/** Throws a TypeError, which does not repeat the text: there is a key in it. */
export function parseConnectionString(text: string): { endpoint: string; accessKey: string } {
  const fields = new Map(text.split(";").map(fieldOf));
  const [endpoint, accessKey] = [fields.get("endpoint"), fields.get("accesskey")];
  if (!endpoint || !accessKey || !URL.canParse(endpoint))
    throw new TypeError("A connection string is Endpoint=https://host;AccessKey=…;Version=1.0;");
  const url = new URL(endpoint);
  // Azure's emulator has its port here.
  const port = fields.get("port");
  if (port !== undefined) url.port = port;
  return { endpoint: url.href.replace(/\/+$/, ""), accessKey };
}

/** Keys may end in `=`. */
function fieldOf(field: string): readonly [name: string, value: string] {
  const [name = "", ...value] = field.split("=");
  return [name.trim().toLowerCase(), value.join("=").trim()];
}

export const roomPath = (topic: Topic): string =>
  `/rooms/${encodeURIComponent(formatTopic(topic))}`;

/** One part of a path, for what is no room's name: those have their kind before them. Throws `invalid_name`. */
export function segment(name: string): string {
  // URLs drop these from paths, percent-encoded or not.
  if (name === "" || name === "." || name === ".." || !name.isWellFormed())
    throw new HubError("invalid_name", "Nothing is addressed by an empty name, or one of dots.");
  return encodeURIComponent(name);
}
