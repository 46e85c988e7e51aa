// The panel of refusals: limits that were hit first, then all others. Counted by the rooms and relays themselves.

import { element } from "../demo/dom.ts";
import { link, panel, refill, table, whole, type Column, type Panel } from "./parts.ts";
import { hashOf } from "./place.ts";
import type { Refusals, RoomRefusals, Scrape } from "./scrape.ts";
import type { Admin } from "./view.ts";

/** Codes of limits, as docs/limits.md has them. */
const LIMITS: ReadonlyMap<string, string> = new Map([
  ["too_large", "a message, a state or an upload is too large"],
  ["too_deep", "JSON is nested too deep"],
  ["rate_limited", "calls, connects or history too often"],
  ["busy", "memory that a client, a user or an object may hold"],
  ["too_many_streams", "streams of one connection"],
  ["too_many_connections", "connections of one user or network"],
  ["too_many_groups", "rooms of one connection"],
  ["room_full", "connections of one object; the next relay takes them"],
  ["relay_full", "connections of one relay"],
  ["unavailable", "clients on their way into one object"],
  ["timed_out", "a client or a call took too long"],
  ["history_gone", "missed more messages than a room replays"],
  ["invalid_state", "a state that is too large, or no JSON"],
  ["malformed", "frames that cannot be read"],
  ["closed_4408", "closed: the reader was too slow"],
  ["closed_4413", "closed: memory that it held"],
  ["closed_4429", "closed: sent too much"],
]);

const ROWS_AT_MOST = 50;

interface Row {
  readonly code: string;
  readonly count: number;
  /** Since the page was opened. */
  readonly fresh: number;
  /** The room with the most of them, if one has its own series. */
  readonly top: RoomRefusals | undefined;
}

/** Of one hub, or of all. */
export function limitsPanel({ metrics, signal }: Admin, hub?: string): HTMLElement {
  const shown = panel("limits", "Limits and refusals");
  metrics.follow(signal, () => {
    const last = metrics.scrapes.at(-1)!;
    show(shown, rowsOf(last, metrics.first!, hub));
  });
  return shown.element;
}

function rowsOf(last: Scrape, first: Scrape, hub: string | undefined): Row[] {
  const byCode = <R extends Refusals>(all: readonly R[]): Map<string, R[]> =>
    Map.groupBy(
      all.filter((one) => hub === undefined || one.hub === hub),
      ({ code }) => code,
    );
  const [before, rooms] = [byCode(first.refusals), byCode(last.roomRefusals)];
  const rows = [...byCode(last.refusals)].map(([code, all]): Row => {
    const [top] = (rooms.get(code) ?? []).toSorted((a, b) => b.count - a.count);
    return { code, count: sum(all), fresh: Math.max(0, sum(all) - sum(before.get(code))), top };
  });
  return rows
    .filter(({ count }) => count > 0)
    .toSorted((a, b) => rank(a) - rank(b) || b.count - a.count)
    .slice(0, ROWS_AT_MOST);
}

const sum = (all: readonly Refusals[] = []): number =>
  all.reduce((total, { count }) => total + count, 0);

const rank = ({ code }: Row): number => (LIMITS.has(code) ? 0 : 1);

const COLUMNS: readonly Column<Row>[] = [
  {
    title: "Code",
    cell: ({ code }) => {
      const meaning = element("small", "", LIMITS.get(code) ?? "no limit: a refusal");
      return element("span", "code", element("code", "", code), meaning);
    },
  },
  { title: "Counted", isNumber: true, cell: ({ count }) => whole(count) },
  {
    title: "Since opened",
    isNumber: true,
    cell: ({ fresh }) => (fresh ? `+${whole(fresh)}` : "–"),
  },
  { title: "Most in", cell: ({ top }) => (top ? placeOf(top) : "–") },
];

/** Relays, and the rest of a hub's rooms, have no page of their own. */
const placeOf = ({ hub, room }: RoomRefusals): HTMLElement =>
  /^(relay:|other$)/.test(room)
    ? element("span", "", `${hub} · ${room}`)
    : link(hashOf(hub, room), `${hub} · ${room}`);

function show({ note, body }: Panel, rows: readonly Row[]): void {
  const limits = rows.filter(({ code }) => LIMITS.has(code));
  note.textContent = `limits hit: ${limits.length}`;
  refill(
    body,
    rows.length > 0 ? table(COLUMNS, rows) : element("p", "quiet", "Nothing was refused."),
  );
}
