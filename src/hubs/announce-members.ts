// Saying by name who comes into a group and who goes: for as many as can still be people to each other.

import type { MemberContext } from "../hub.ts";

/** Above it nobody is named, and `$/presence` counts: a thousand who enter must not cost a million messages. */
export const NAMED_UP_TO = 50;

interface Comings {
  userJoined(user: string, room: string): void;
  userLeft(user: string, room: string): void;
}

/** The hooks `joined` and `left` of a hub whose clients want to know. */
export const comings = <C extends Comings>() => ({
  joined: say<C>("userJoined"),
  left: say<C>("userLeft"),
});

const say =
  <C extends Comings>(what: keyof Comings) =>
  async ({ clients, group, room, user }: MemberContext<C>): Promise<void> => {
    if (room.kind !== "group") return;
    const { users } = await group(room.name).presence.count();
    if (users <= NAMED_UP_TO) await clients.group(room.name)[what](user.id, room.name);
  };
