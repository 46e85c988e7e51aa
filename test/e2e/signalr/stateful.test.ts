// Stateful reconnect by the stock client: sockets break, the connection stays, and nothing is lost or said twice.

import { HttpTransportType, type IHttpConnectionOptions } from "@microsoft/signalr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { Endpoint } from "../../support/endpoint.ts";
import { sharedTestEndpoint } from "../../support/shared-endpoint.ts";
import { connectionIdOf, ROWS, visit, type Guest, type Row } from "./connections.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedTestEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

/** The row's client, and every socket it has had. */
function breakable(row: Row): { readonly row: Row; readonly sockets: WebSocket[] } {
  const sockets: WebSocket[] = [];
  class Kept extends WebSocket {
    constructor(...args: ConstructorParameters<typeof WebSocket>) {
      super(...args);
      sockets.push(this);
    }
  }
  // Its types keep from users that it takes one.
  const options = { ...row.options, WebSocket: Kept } as IHttpConnectionOptions;
  return { row: { ...row, options }, sockets };
}

/** Only a WebSocket of a connection that was negotiated is. */
const isResumable = ({ options }: Row): boolean =>
  options.transport === HttpTransportType.WebSockets && !options.skipNegotiation;

const idOf = async (one: Guest): Promise<string> => connectionIdOf(await one.invoke("Whoami"));

describe.each(ROWS.filter(isResumable))("$name", (visited) => {
  it("keeps its connection and all that was said when its socket breaks", async () => {
    const { row, sockets } = breakable(visited);
    const hub = "signalr-stateful";
    await using alice = await visit({ endpoint, row, hub }, { stateful: true, hears: ["Said"] });
    await using bob = await visit({ endpoint, row: visited, hub }, { user: "bob" });
    const before = await idOf(alice);
    await alice.invoke("Join", row.name);
    for (let n = 0; n < 3; n++) {
      sockets.at(-1)!.terminate();
      const answers = [alice.invoke("Add", n, 1), alice.invoke("Echo", `${n}`)];
      await bob.invoke("Say", row.name, `away ${n}`);
      expect(await Promise.all(answers)).toEqual([n + 1, `${n}`]);
      await bob.invoke("Say", row.name, `back ${n}`);
      expect([await alice.next("Said"), await alice.next("Said")]).toEqual([
        [`away ${n}`],
        [`back ${n}`],
      ]);
    }
    expect([await idOf(alice), sockets.length]).toEqual([before, 4]);
    expect(alice.heard).toHaveLength(6);
  });

  it("asks for what a hub does not allow, and is a connection like others", async () => {
    const { row, sockets } = breakable(visited);
    const visiting = { endpoint, row, hub: "signalr" };
    await using alice = await visit(visiting, { stateful: true, delays: [0, 100, 1_000] });
    const back = new Promise<void>((resolve) => alice.connection.onreconnected(() => resolve()));
    const before = await idOf(alice);
    sockets[0]!.terminate();
    await back;
    expect(await idOf(alice)).not.toBe(before);
  });
});
