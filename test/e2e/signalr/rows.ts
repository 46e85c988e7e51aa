// Every way a stock client may speak to the endpoint, as one table: a transport more is a row more. Runs in pages, too.

import {
  HttpTransportType,
  HubConnectionBuilder,
  JsonHubProtocol,
  type HubConnection,
  type IHttpConnectionOptions,
  type IHubProtocol,
  type LogLevel,
} from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";

const PROTOCOLS = {
  JSON: () => new JsonHubProtocol(),
  MessagePack: () => new MessagePackHubProtocol(),
} satisfies Record<string, () => IHubProtocol>;

type ProtocolName = keyof typeof PROTOCOLS;

interface Transport {
  readonly name: string;
  readonly options: IHttpConnectionOptions;
  /** Server-Sent Events carry text only. */
  readonly protocols: readonly ProtocolName[];
}

const TRANSPORTS: readonly Transport[] = [
  {
    name: "a negotiated WebSocket",
    options: { transport: HttpTransportType.WebSockets },
    protocols: ["JSON", "MessagePack"],
  },
  {
    name: "a WebSocket without negotiation",
    options: { transport: HttpTransportType.WebSockets, skipNegotiation: true },
    protocols: ["JSON", "MessagePack"],
  },
  {
    name: "Server-Sent Events",
    options: { transport: HttpTransportType.ServerSentEvents },
    protocols: ["JSON"],
  },
  {
    name: "long polling",
    options: { transport: HttpTransportType.LongPolling },
    protocols: ["JSON", "MessagePack"],
  },
];

export interface Row {
  readonly name: string;
  readonly protocol: ProtocolName;
  readonly options: IHttpConnectionOptions;
}

export const ROWS: readonly Row[] = TRANSPORTS.flatMap(({ name, options, protocols }) =>
  protocols.map((protocol) => ({ name: `${protocol} over ${name}`, protocol, options })),
);

export interface BuildOptions {
  /** Of the hub: `http://…/hubs/chat`. */
  readonly url: string;
  readonly token: () => string | Promise<string>;
  readonly logging: LogLevel;
  /** Delays before attempts to come back; absent: a lost connection stays lost. */
  readonly delays?: number[];
  /** Whether the connection shall outlive its socket. */
  readonly stateful?: boolean;
}

export function build({ protocol, options }: Row, wanted: BuildOptions): HubConnection {
  const { url, token, logging, delays, stateful } = wanted;
  const builder = new HubConnectionBuilder()
    .withUrl(url, { ...options, accessTokenFactory: token })
    .withHubProtocol(PROTOCOLS[protocol]())
    .configureLogging(logging);
  if (stateful) builder.withStatefulReconnect();
  return (delays ? builder.withAutomaticReconnect(delays) : builder).build();
}
