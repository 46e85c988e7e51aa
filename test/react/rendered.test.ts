// The hooks' values when a page is rendered on a server.

import * as React from "react";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { describe, expect, it, vi } from "vitest";
import { hubAt } from "../../src/components/hub-at.ts";
import type { RoomText } from "../../src/client/index.ts";
import { useHub } from "../../src/react/use-hub.ts";
import { usePresence } from "../../src/react/use-room.ts";
import { useRoomState, useRun } from "../../src/react/use-room-state.ts";
import type { AuctionHub } from "../state/hub.ts";
import type { TestHub } from "../client/hubs.ts";
import { FakeServer } from "../client/server.ts";

/** What React's hooks call while something is rendered. */
const { __CLIENT_INTERNALS_DO_NOT_USE_OR_WARN_USERS_THEY_CANNOT_UPGRADE: internals } =
  React as unknown as Record<string, { readonly H: { useLayoutEffect(): void } }>;

const server = new FakeServer();
const Test = hubAt<TestHub>("/hubs/test", { token: "t", WebSocket: server.WebSocket });

const Auctions = hubAt<AuctionHub>("/hubs/auctions", { token: "t", WebSocket: server.WebSocket });

function Price({ room }: { readonly room: RoomText | null }): string {
  const price = useRoomState(Auctions, room, (auction) => auction.price);
  const { bid } = useRun(Auctions, room);
  return `${price}, ${typeof bid}`;
}

function RoomStatus({ room }: { readonly room: RoomText | null }): string {
  const test = useHub(Test, { room, handlers: { said: () => {} } });
  const { users, members } = usePresence(test);
  return `${test.state.status}, ${users} of ${members.size}`;
}

describe("a page rendered on a server", () => {
  it.each([
    ["group:lobby", "connecting, 0 of 0"],
    [null, "closed, 0 of 0"],
  ] as const)("in %s shows %s, and opens nothing", (room, text) => {
    expect(renderToString(createElement(RoomStatus, { room }))).toBe(text);
    expect(server.sockets).toEqual([]);
  });

  it("has no layout effect, of which React 18 warns there", () => {
    let layoutEffects: unknown;
    function Spied() {
      layoutEffects = vi.spyOn(internals!.H, "useLayoutEffect");
      return RoomStatus({ room: "group:lobby" });
    }
    renderToString(createElement(Spied));
    expect(layoutEffects).not.toHaveBeenCalled();
  });

  it.each(["group:vase", null] as const)("has no state of %s, and opens nothing", (room) => {
    expect(renderToString(createElement(Price, { room }))).toBe("undefined, function");
    expect(server.sockets).toEqual([]);
  });
});
