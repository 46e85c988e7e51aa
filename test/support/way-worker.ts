// The worker of scripts/measure-way.ts: one hub, and the trace of the functions that its sources entered. The script
// instruments every file of src/ when it bundles this one.

import * as z from "zod";
import { hub, method, signedIn } from "../../src/hub.ts";
import { serve, type EndpointEnv } from "../../src/server.ts";

interface WayClient {
  published(text: string): void;
}

const Text = z.string();

const WayHub = hub<WayClient>("way", {
  rooms: { group: { enter: signedIn } },
}).methods({
  join: method([Text], ({ group }, name) => group(name).join()),

  publish: method([Text, Text], async ({ clients }, name, text) => {
    await clients.group(name).published(text);
  }),
});

/** Made by the bundle, and shared by the worker and its objects: workerd runs them in one isolate. */
declare const wayTrace: string[];

// Beside the functions, the trace has each text frame that left on a socket, as `>` and the frame.
// oxlint-disable-next-line typescript/unbound-method -- called with the socket as its receiver below
const { send } = WebSocket.prototype;
WebSocket.prototype.send = function (frame) {
  if (typeof frame === "string") wayTrace.push(`>${frame}`);
  send.call(this, frame);
};

// The clock stops when a way begins: whether two flushes fall into one hold would else depend on the machine.
const { now } = Date;
let stoppedAt: number | undefined;
Date.now = () => stoppedAt ?? now();

const { Room, Relay, Account, endpoint } = serve([WayHub]);
export { Account, Relay, Room };

/** `GET /way` returns the trace, `DELETE /way` empties it and stops the clock. The rest goes to the endpoint. */
export default {
  fetch(request, env, context) {
    if (new URL(request.url).pathname !== "/way") return endpoint.fetch(request, env, context);
    if (request.method === "DELETE") {
      wayTrace.length = 0;
      stoppedAt = now();
    }
    return Response.json(wayTrace);
  },
} satisfies ExportedHandler<EndpointEnv>;
