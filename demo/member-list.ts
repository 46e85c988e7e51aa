// The list of users in the chat room. The same names are suggested as recipients of a notification.

import type { Presence } from "../src/client/index.ts";
import type { RoomConnection } from "./app.ts";
import { byId, element, faceOf } from "./dom.ts";

const MAX_NAMES = 40;

export function memberList(chat: RoomConnection): void {
  chat.onPresence(show);
  show(chat.presence);
}

function show({ members, users }: Presence): void {
  const names = [...members.keys()].toSorted().slice(0, MAX_NAMES);
  byId("here").replaceChildren(
    ...names.map((name) => element("li", "", faceOf(name), element("span", "", name))),
  );
  byId("here-count").textContent = users === 1 ? "only you are here" : `${users} are here`;
  byId("names").replaceChildren(
    ...names.map((name) => Object.assign(document.createElement("option"), { value: name })),
  );
}
