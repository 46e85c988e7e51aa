// Runs value-rows.ts with the stock JavaScript client: for `npm run test:dotnet`, against us and against ASP.NET Core
// itself, and for the end-to-end tests.

import {
  HubConnectionBuilder,
  HubConnectionState,
  JsonHubProtocol,
  LogLevel,
} from "@microsoft/signalr";
import type { HubConnection } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { REFUSED, VALUE_ROWS, type Outcome, type ValueRow } from "./value-rows.ts";

const PROTOCOLS = { JSON: JsonHubProtocol, MessagePack: MessagePackHubProtocol };
type ProtocolName = keyof typeof PROTOCOLS;

export interface ValuesOptions {
  readonly url: string;
  readonly token: () => string | Promise<string>;
  /** Whether it is ASP.NET Core itself. */
  readonly isReference: boolean;
}

export interface ValuesReport {
  readonly protocol: ProtocolName;
  readonly equal: number;
  /** A line for each row that differs by design … */
  readonly designed: readonly string[];
  /** … and for each that has neither outcome. */
  readonly differing: readonly string[];
}

export const reportValues = (options: ValuesOptions): Promise<ValuesReport[]> =>
  Promise.all((["JSON", "MessagePack"] as const).map((name) => report(name, options)));

async function report(protocol: ProtocolName, options: ValuesOptions): Promise<ValuesReport> {
  const [designed, differing]: [string[], string[]] = [[], []];
  let equal = 0;
  for (const row of VALUE_ROWS) {
    // oxlint-disable-next-line no-await-in-loop -- one row after another
    const found = await outcomeOf(row, protocol, options);
    const theirs = outcome(row.aspNet, protocol);
    const ours = options.isReference ? theirs : outcome(row.ours ?? row.aspNet, protocol);
    if (found !== ours) differing.push(`${row.title}: expected ${ours}, found ${found}`);
    else if (ours === theirs) equal++;
    else designed.push(`${row.title}: ${ours}, not ${theirs}: ${row.reason}`);
  }
  return { protocol, equal, designed, differing };
}

const outcome = (of: Outcome, protocol: ProtocolName): string =>
  typeof of === "string" ? of : of[protocol === "JSON" ? 0 : 1];

/** The result; and what the server called the client with, where that differs. */
async function outcomeOf(
  { method, args }: ValueRow,
  protocol: ProtocolName,
  options: ValuesOptions,
) {
  const connection = new HubConnectionBuilder()
    .withUrl(`${options.url}/hubs/values`, { accessTokenFactory: options.token })
    .withHubProtocol(new PROTOCOLS[protocol]())
    .configureLogging(LogLevel.None)
    .build();
  await connection.start();
  try {
    return await asked(connection, method, args);
  } catch {
    const isOpen = connection.state === HubConnectionState.Connected;
    return isOpen ? REFUSED : "the connection ended";
  } finally {
    await connection.stop();
  }
}

async function asked(connection: HubConnection, method: string, args: readonly unknown[]) {
  const shown = new Promise<string>((resolve) =>
    connection.on("Shown", (value) => resolve(show(value))),
  );
  const result = show(await connection.invoke(method, ...args));
  if (method === "Optional") return result;
  const call = await shown;
  return call === result ? result : `${result}, and ${call} in a call of the server`;
}

/** A value of either protocol as text. */
function show(value: unknown): string {
  if (value instanceof Date) return `Date ${value.toISOString()}`;
  if (value instanceof Uint8Array) return `bytes ${[...value].join()}`;
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  // .NET writes no zeros at the end of a second.
  if (typeof value === "string")
    return JSON.stringify(value.replace(/(:\d\d)(?:\.0+|(\.\d+?)0+)Z$/, "$1$2Z"));
  if (Array.isArray(value)) return `[${value.map(show).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "undefined";
  return `{${Object.entries(value)
    .map(([key, held]) => `${key}: ${show(held)}`)
    .join()}}`;
}
