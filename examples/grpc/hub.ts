// Readings of meters, uploaded as a stream and published to a room: over gRPC (Connect, gRPC-Web) as from any client.

import { hub, method, signedIn, streamOf } from "dormouse-hubs/hub";
import * as z from "zod";

const Reading = z.object({ meter: z.string(), watts: z.number() });

interface MeterClient {
  total(watts: number): void;
}

export const MeterHub = hub<MeterClient>("grpc", {
  authorize: signedIn,
  rooms: { group: { enter: signedIn } },
}).methods({
  upload: method([streamOf(Reading)], async ({ clients }, readings) => {
    let sum = 0;
    for await (const { watts } of readings) sum += watts;
    await clients.group("totals").total(sum);
    return sum;
  }),
});
export type MeterHub = typeof MeterHub;
