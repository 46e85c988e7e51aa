// What fault tests of SignalR's clients share: an endpoint with the tests' hubs, a wire that can be cut, and stock
// clients that come over it.

import {
  HttpTransportType,
  HubConnectionBuilder,
  JsonHubProtocol,
  LogLevel,
} from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import type { Endpoint, OwnEndpoint } from "../../support/endpoint.ts";
import { startTestEngine } from "../../support/engine.ts";
import { startProxy, type Proxy } from "../../support/proxy.ts";
import { sharedTestEndpoint } from "../../support/shared-endpoint.ts";
import { startTestEndpoint } from "../../support/test-endpoint.ts";
import { within } from "../client.ts";
import { Guest, type Visitor } from "./connections.ts";

export interface Faulty<E extends Endpoint = Endpoint> extends AsyncDisposable {
  readonly endpoint: E;
  readonly proxy: Proxy;
}

/** Bare workerd, to be killed: a restart costs a tenth of that of `wrangler dev`. Resets may stay unreported. */
export const startFaultyEngine = (): Promise<Faulty<OwnEndpoint>> => behindProxy(startTestEngine());

/** `wrangler dev` of a file's own: a reset is reported at once. */
export const startFaultyEndpoint = (): Promise<Faulty> => behindProxy(startTestEndpoint());

/** The same, shared with other files, whose load it has as well. */
export const shareFaultyEndpoint = (): Promise<Faulty> => behindProxy(sharedTestEndpoint());

async function behindProxy<E extends Endpoint>(started: Promise<E>): Promise<Faulty<E>> {
  const endpoint = await started;
  const proxy = await startProxy(endpoint.port);
  return {
    ...{ endpoint, proxy },
    async [Symbol.asyncDispose]() {
      proxy[Symbol.dispose]();
      await endpoint[Symbol.asyncDispose]();
    },
  };
}

const PROTOCOLS = {
  JSON: () => new JsonHubProtocol(),
  MessagePack: () => new MessagePackHubProtocol(),
};
export type ProtocolName = keyof typeof PROTOCOLS;

export interface Coming extends Visitor {
  /** By which the proxy and hubs that remember know it. Its user has the same name. */
  readonly name: string;
  /** Absent: straight to the endpoint. */
  readonly via?: Proxy;
  readonly protocol?: ProtocolName;
  readonly stateful?: boolean;
}

/** Connected already. */
export async function come({ endpoint }: Faulty, hub: string, coming: Coming): Promise<Guest> {
  const { name, via, protocol = "JSON", stateful = false, delays } = coming;
  const builder = new HubConnectionBuilder()
    .withUrl(`${(via ?? endpoint).url}/hubs/${hub}?client=${name}`, {
      transport: HttpTransportType.WebSockets,
      accessTokenFactory: () => endpoint.token(coming.user ?? name),
    })
    .withHubProtocol(PROTOCOLS[protocol]())
    .configureLogging(LogLevel.None);
  if (stateful) builder.withStatefulReconnect();
  if (delays) builder.withAutomaticReconnect(delays);
  const one = new Guest(builder.build(), coming);
  await within(one.connection.start(), `the start of ${name}`);
  return one;
}

/** Delays of a client that does not give up while a server restarts. */
export const PATIENT: number[] = [0, ...Array<number>(300).fill(100)];

export const textsOf = ({ heard }: Guest): string[] => heard.map(([, text]) => String(text));
