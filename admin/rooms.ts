// The rooms of a hub from its index, the most active first. The index lags a little, and has 10,000 rooms at most.

import { element } from "../demo/dom.ts";
import type { Api } from "./api.ts";
import { every } from "./every.ts";
import {
  ago,
  button,
  field,
  input,
  link,
  panel,
  refill,
  repeatable,
  table,
  whole,
  type Column,
} from "./parts.ts";
import { hashOf, hubPath } from "./place.ts";
import type { Admin } from "./view.ts";

interface Room {
  readonly room: string;
  readonly num_clients: number;
  readonly num_users: number;
  /** Milliseconds since 1970. */
  readonly active_at: number;
}

const EVERY_MS = 10_000;
const PAGE = 1_000;
const PAGES_AT_MOST = 10;
const ROWS_AT_MOST = 200;

const ORDERS = {
  activity: { label: "Last active", compare: (a: Room, b: Room) => b.active_at - a.active_at },
  size: { label: "Connections", compare: (a: Room, b: Room) => b.num_clients - a.num_clients },
  name: { label: "Name", compare: (a: Room, b: Room) => (a.room < b.room ? -1 : 1) },
} as const;

export function roomsPanel({ api, signal }: Admin, hub: string): HTMLElement {
  const shown = panel("rooms", "Rooms");
  const prefix = input({ id: "prefix", placeholder: "group:" });
  const order = element("select", "");
  order.id = "order";
  for (const [value, { label }] of Object.entries(ORDERS)) order.append(new Option(label, value));
  const list = element("div", "list");
  let rooms: readonly Room[] = [];
  const show = (): void => {
    const sorted = rooms.toSorted(ORDERS[order.value as keyof typeof ORDERS].compare);
    shown.note.textContent = countOf(rooms.length);
    refill(
      list,
      rooms.length === 0
        ? element("p", "quiet", "No room of this name was active within a day.")
        : table(columnsOf(hub, Date.now()), sorted.slice(0, ROWS_AT_MOST)),
    );
  };
  const load = repeatable(shown.error, async () => {
    const wanted = prefix.value.trim();
    const found = await roomsOf(api, hub, wanted);
    // A slow answer for what was typed before is dropped.
    if (wanted !== prefix.value.trim()) return;
    rooms = found;
    show();
  });
  prefix.addEventListener("input", () => void load());
  order.addEventListener("change", show);
  const controls = [field("Names begin with", prefix), field("Sorted by", order)];
  const refresh = button("Refresh", "", load);
  shown.body.append(element("div", "controls", ...controls, refresh, openForm(hub)), list);
  every(EVERY_MS, signal, load);
  return shown.element;
}

const countOf = (count: number): string =>
  count > ROWS_AT_MOST ? `${whole(count)}, the first ${ROWS_AT_MOST} shown` : whole(count);

/** All pages: an order by activity needs each of them. */
async function roomsOf(api: Api, hub: string, prefix: string): Promise<Room[]> {
  const rooms: Room[] = [];
  for (let page = 0; page < PAGES_AT_MOST; page++) {
    const after = rooms.at(-1)?.room;
    // oxlint-disable-next-line no-await-in-loop -- each page begins where the one before has ended
    const answer = await api.get<{ rooms: Room[]; more: boolean }>(`${hubPath(hub)}/rooms`, {
      ...{ limit: PAGE, after, prefix: prefix || undefined },
    });
    rooms.push(...answer.rooms);
    if (!answer.more) break;
  }
  return rooms;
}

/** Relays are in the index as well, and have no page. */
const columnsOf = (hub: string, now: number): readonly Column<Room>[] => [
  {
    title: "Room",
    cell: ({ room }) => (room.startsWith("relay:") ? room : link(hashOf(hub, room), room)),
  },
  { title: "Connections", isNumber: true, cell: ({ num_clients: count }) => whole(count) },
  { title: "Users", isNumber: true, cell: ({ num_users: count }) => whole(count) },
  { title: "Last active", isNumber: true, cell: ({ active_at: at }) => ago(at, now) },
];

/** Opens a room by its name: one that was not active within a day is in no list. */
function openForm(hub: string): HTMLElement {
  const name = input({ id: "open", placeholder: "group:lobby", maxLength: 300 });
  name.required = true;
  name.pattern = "(group|order|user):.+|all";
  name.title = "A kind and a name: group:lobby, order:42, user:alice; or all.";
  const open = element("button", "", "Open");
  const form = element("form", "", element("div", "row", name, open));
  const label = element("label", "", "Any room");
  label.htmlFor = name.id;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.hash = hashOf(hub, name.value.trim());
  });
  return element("div", "field", label, form);
}
