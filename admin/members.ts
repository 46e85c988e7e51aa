// The present users of a room, page by page.

import { element, faceOf } from "../demo/dom.ts";
import type { Api } from "./api.ts";
import { every } from "./every.ts";
import { action, ago, button, counted, panel, refill, repeatable, type Panel } from "./parts.ts";
import { roomPath } from "./place.ts";
import type { OneRoom } from "./room-view.ts";
import { banUser, disconnectUser } from "./users.ts";
import type { Admin } from "./view.ts";

interface Member {
  readonly user: string;
  readonly since: number;
  readonly num_clients: number;
  readonly state?: unknown;
}

interface Presence {
  readonly presence: readonly Member[];
  readonly more: boolean;
  readonly num_clients: number;
  readonly num_users: number;
}

const EVERY_MS = 10_000;
const PAGE = 100;

export function membersPanel({ api, signal }: Admin, one: OneRoom): HTMLElement {
  const shown = panel("members", "Present");
  /** The last user of the page before. */
  let after: string | undefined;
  const done = element("p", "hint");
  done.role = "status";
  shown.element.append(done);
  const load = repeatable(shown.error, async () => {
    const path = `${roomPath(one.hub, one.room)}/presence`;
    const page = await api.get<Presence>(path, { limit: PAGE, after });
    show({ shown, api, one, report }, page, turn);
  });
  const report = (text: Node | string): void => {
    done.replaceChildren(text);
    void load();
  };
  const turn = (next: string | undefined): void => {
    after = next;
    void load();
  };
  every(EVERY_MS, signal, load);
  return shown.element;
}

interface Shown {
  readonly shown: Panel;
  readonly api: Api;
  readonly one: OneRoom;
  /** Shows what was done, and the list after it. */
  report(text: Node | string): void;
}

function show(
  { shown, api, one, report }: Shown,
  page: Presence,
  turn: (after: string | undefined) => void,
): void {
  const { presence, more, num_clients: clients, num_users: users } = page;
  shown.note.textContent = `${counted(users, "user")}, ${counted(clients, "connection")}`;
  const rows = presence.map((member) => rowOf(member, { api, one, shown, report }));
  const list = element("ul", "people", ...rows);
  const pages = [
    button("From the first", "plain", () => turn(undefined)),
    ...(more ? [button("Next page", "plain", () => turn(presence.at(-1)!.user))] : []),
  ];
  refill(
    shown.body,
    presence.length > 0 ? list : element("p", "quiet", "Nobody is here."),
    ...(users > PAGE ? [element("div", "row", ...pages)] : []),
  );
}

function rowOf(
  { user, since, num_clients: clients, state }: Member,
  { shown, api, one, report }: Shown,
) {
  const about = [
    `since ${ago(since, Date.now()).replace(" ago", "")}`,
    counted(clients, "connection"),
    ...(state === undefined || state === null ? [] : [JSON.stringify(state)]),
  ];
  const who = { hub: one.hub, user };
  const { error } = shown;
  const row = element(
    "li",
    "",
    faceOf(user),
    element("div", "name", element("b", "", user), element("small", "", about.join(" · "))),
    action("Disconnect", { error }, async () => report(await disconnectUser(api, who))),
    action("Ban", { error, className: "danger" }, async () => report(await banUser(api, who))),
  );
  row.dataset["key"] = user;
  for (const press of row.querySelectorAll("button"))
    press.setAttribute("aria-label", `${press.textContent} ${user}`);
  return row;
}
