// What a client makes of the frames that it has received.

import { applyPatch } from "../../../src/model/merge-patch.ts";
import type { Client } from "../client.ts";

/** The copy of a client, by what it has heard. */
export const copyOf = (client: Client): unknown =>
  client.heard.reduce<unknown>((copy, { method, params }) => {
    if (method === "$/connected" && "state" in params) return params.state;
    if (method !== "$/state") return copy;
    return "state" in params ? params.state : applyPatch(copy, params.patch);
  }, undefined);
