// States over MessagePack: keys as they are, whatever other records have, and client methods of the hub's choice.

import { decode } from "@msgpack/msgpack";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { hub } from "../../../src/hub.ts";
import { servedHub } from "../../../src/dispatch/define/hub-tables.ts";
import { signalrMsgpack } from "../../../src/protocols/signalr-msgpack.ts";

const lots = (state?: object) =>
  servedHub(
    hub("lots", { signalR: { ...(state && { state }) } }).state("group", {
      schema: z.object({ price: z.number() }),
      initial: { price: 0 },
    }),
  ).settings.signalR.state;

describe.each(["pascal", "verbatim"] as const)(
  "a change, with keys of records in %s",
  (messagePackKeys) => {
    it.each([
      [undefined, "RoomPatch"],
      [{ patch: "LotChanged" }, "LotChanged"],
      [{ snapshot: "LotState" }, "RoomPatch"],
    ])("under the names %j is a call of %s, with its keys as they are", (named, target) => {
      const codec = signalrMsgpack({ verbatim: false, messagePackKeys });
      const params = '{"patch":{"price":1,"bids":{"alice":{},"user-1":null}}}';
      const message = { type: "state", room: "group:a", position: "e:1", params } as const;
      const bytes = codec.encode(message, lots(named)) as Uint8Array;
      const value = { price: 1, bids: { alice: {}, "user-1": null } };
      expect(decode(bytes.subarray(1))).toEqual([
        ...[1, {}, null, target, ["group:a", value, "e:1"], []],
      ]);
    });
  },
);
