// Code with the connection of `@microsoft/signalr` that must compile, and code that must not. Compiled by `npm run
// types`.

import type { HubConnection, Subject } from "@microsoft/signalr";
import { connect, typed } from "../../src/client/index.ts";
import { hub, method } from "../../src/dispatch/define/hub-definition.ts";
import type { AskingHub } from "./client.test-d.ts";
import type { LotHub } from "./state-client.test-d.ts";
import { expect, type Equal } from "./equal.ts";

declare const connection: HubConnection;
declare const numbers: Subject<number>;
const asking = typed<AskingHub>(connection);
const whole = typed<AskingHub, HubConnection>(connection);

export async function calls(): Promise<void> {
  const sum = await asking.invoke("add", 1, 2);
  expect<Equal<typeof sum, number>>();
  const { at } = await whole.invoke("Dated");
  expect<Equal<typeof at, string>>();
  await asking.send("Add", 1);
  await asking.invoke("sum", numbers);
  asking.stream("count", 3).subscribe({
    next: (n) => void expect<Equal<typeof n, number>>(),
    error: () => {},
    complete: () => {},
  });
  asking.on("Said", (_user, at2) => void expect<Equal<typeof at2, string>>());
  asking.on("confirm", () => true);
  await whole.start();
  whole.keepAliveIntervalInMilliseconds = 1_000;
  // @ts-expect-error the hub has no such method
  await asking.invoke("subtract", 1);
  // @ts-expect-error a string is no number
  await asking.invoke("add", "1");
  // @ts-expect-error a stream is not invoked
  await asking.invoke("count", 1);
  // @ts-expect-error the hub has no such client method
  asking.on("heard", () => {});
  // @ts-expect-error the hub awaits a boolean
  asking.on("confirm", () => "yes");
}

/** In MessagePack bytes are bytes, and texts over SignalR's JSON and JSON-RPC. */
interface Camera {
  frame(picture: { readonly bytes: Uint8Array; readonly at: Date }): void;
}
export async function bytes(): Promise<void> {
  const cameras = hub<Camera>("cameras").methods({ last: method([], () => [new Uint8Array(1)]) });
  const binary = typed<typeof cameras, HubConnection, Uint8Array>(connection);
  binary.on("frame", (picture) => {
    expect<Equal<typeof picture, { readonly bytes: Uint8Array; readonly at: string }>>();
  });
  const [last] = await binary.invoke("last");
  expect<Equal<typeof last, Uint8Array | undefined>>();
  const [text] = await typed<typeof cameras, HubConnection, string>(connection).invoke("last");
  expect<Equal<typeof text, string | undefined>>();
  // Without a word about the protocol they may be either.
  const [either] = await typed<typeof cameras>(connection).invoke("last");
  expect<Equal<typeof either, string | Uint8Array | undefined>>();
  const camera = connect<typeof cameras>("/hubs/cameras", { room: "group:lobby" });
  camera.on("frame", (picture) => {
    expect<Equal<typeof picture, { readonly bytes: string; readonly at: string }>>();
  });
  const texts = await camera.invoke.last();
  expect<Equal<typeof texts, string[]>>();
}

export async function actions(): Promise<void> {
  const lots = typed<LotHub>(connection);
  const { at, isFirst } = await lots.invoke("bid", "vase", 120, "a note");
  expect<Equal<[typeof at, typeof isFirst], [string, boolean]>>();
  const length = await lots.invoke("Hello", "bob");
  expect<Equal<typeof length, number>>();
  await lots.send("Bid", "vase", 121);
  // @ts-expect-error the room comes first
  await lots.invoke("bid", 122);
  // @ts-expect-error internal actions are not for clients
  await lots.invoke("close", "vase");
}
