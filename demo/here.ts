// Who is in the room, as its object says; names are also offered to whoever writes a notification.

import type { Connection, Presence } from "../src/client/index.ts";
import type { ChatHub } from "../src/hubs/chat.ts";
import { byId, element, faceOf } from "./dom.ts";

const SHOWN = 40;

export function showWhoIsHere(chat: Connection<ChatHub>): void {
  chat.onPresence(show);
  show(chat.presence);
}

function show({ members, users }: Presence): void {
  const names = [...members.keys()].toSorted().slice(0, SHOWN);
  byId("here").replaceChildren(
    ...names.map((name) => element("li", "", faceOf(name), element("span", "", name))),
  );
  byId("here-count").textContent = users === 1 ? "only you are here" : `${users} are here`;
  byId("names").replaceChildren(
    ...names.map((name) => Object.assign(document.createElement("option"), { value: name })),
  );
}
