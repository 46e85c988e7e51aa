// A hub that admits guests, and tells what it takes them for.

import * as z from "zod";
import { anyone, authorize, hub, isGuest, method, signedIn } from "../../src/hub.ts";

const Text = z.string().min(1).max(128);

interface GuestClient {
  said(text: string): void;
}

/** `clients.all` leaves its guests out. */
export const GuestApartHub = hub("guests-apart", {
  anonymous: true,
  reach: { all: false },
  rooms: { group: { enter: anyone } },
}).methods({ whoami: method([], ({ user }) => ({ id: user.id, guest: isGuest(user) })) });

export const GuestHub = hub<GuestClient>("guests", {
  anonymous: true,
  rooms: { group: { enter: anyone }, order: { enter: signedIn } },
}).methods({
  whoami: method([], ({ user }) => ({ id: user.id, guest: isGuest(user) })),

  say: method([Text, Text], ({ clients }, name, text) => clients.group(name).said(text)),

  join: method([Text], ({ group }, name) => group(name).join()),

  toUser: method([Text, Text], ({ clients }, id, text) => clients.user(id).said(text)),

  member: authorize(signedIn).method([], () => true),
});
