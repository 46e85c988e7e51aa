// The messages of a room: the newest of its history, older ones on demand, and those to come, as they come. They are
// read, not received: reading makes no connection, so an operator is in no presence list and needs no policy's leave.

import { attempt, element } from "../demo/dom.ts";
import { ApiError, type Api } from "./api.ts";
import { every } from "./every.ts";
import { button, panel, repeatable } from "./parts.ts";
import { roomPath } from "./place.ts";
import type { OneRoom } from "./room-view.ts";
import type { Admin } from "./view.ts";

interface Publication {
  readonly offset: number;
  readonly target: string;
  readonly arguments: readonly unknown[];
  readonly at: number;
}

interface HistoryPage {
  readonly publications: readonly Publication[];
  readonly epoch: string;
  readonly offset: number;
}

const TAIL_MS = 1_000;
const PAGE = 50;
const LINES_AT_MOST = 500;
const CHARACTERS_AT_MOST = 2_000;

export function messagesPanel({ api, signal }: Admin, { hub, room }: OneRoom): HTMLElement {
  const shown = panel("messages", "Messages");
  const list = element("ol", "");
  const log = element("div", "log", list);
  Object.assign(log, { role: "log", ariaLabel: "Messages, the newest first", tabIndex: 0 });
  const history = new MessageList(api, `${roomPath(hub, room)}/history`, list);
  const older = button("Older", "", () => attempt(shown.error, () => history.older()));
  const tail = button("Follow", "", () => {
    tail.ariaPressed = String(tail.ariaPressed !== "true");
    if (tail.ariaPressed === "true") void next();
  });
  tail.ariaPressed = "true";
  const next = repeatable(shown.error, async () => {
    if (tail.ariaPressed === "true") await history.newer();
    older.disabled = !history.hasOlder;
    const isEmpty = list.childElementCount === 0;
    shown.note.textContent = isEmpty ? "none" : `shown: ${list.childElementCount}`;
  });
  const hint = "While it follows, the room is asked each second, and stays awake.";
  shown.body.append(element("div", "row", tail, older), log, element("p", "hint", hint));
  every(TAIL_MS, signal, next);
  return shown.element;
}

const GONE = "The room was erased.";
const MISSED = "Messages are missing here: the room has forgotten them before they were read.";

/** Of one answer. The hub may keep fewer. */
const ENTRIES_AT_MOST = 1_000;

class MessageList {
  readonly #api: Api;
  readonly #path: string;
  readonly #list: HTMLElement;
  #epoch: string | undefined;
  /** The position that was read up to: also of what is numbered and no message, such as changes of state. */
  #newest = 0;
  #oldest = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(api: Api, path: string, list: HTMLElement) {
    this.#api = api;
    this.#path = path;
    this.#list = list;
  }

  /** Unknown whether the room still has them. */
  get hasOlder(): boolean {
    return this.#oldest > 1;
  }

  /** The first time the newest page; then what came since. */
  newer(): Promise<void> {
    return this.#inTurn(() => this.#follow());
  }

  /** A page before those that are shown. */
  older(): Promise<void> {
    return this.#inTurn(() => this.#goBack());
  }

  /** One read after the other: each goes by what those before it have shown. */
  #inTurn(read: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(read);
    this.#turn = done.catch(() => {});
    return done;
  }

  async #follow(): Promise<void> {
    if (this.#epoch === undefined) return this.#begin();
    try {
      const since = `${this.#epoch}:${this.#newest}`;
      const page = await this.#read({ since, limit: ENTRIES_AT_MOST });
      this.#prepend(page.publications);
      // A page of long messages ends early: only an empty one shows that there are no more.
      this.#newest = page.publications.at(-1)?.offset ?? page.offset;
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "history_gone")) throw error;
      await this.#begin();
    }
  }

  async #begin(): Promise<void> {
    const { publications, epoch, offset } = await this.#read({ limit: PAGE, reverse: "true" });
    const note = epoch === this.#epoch ? MISSED : GONE;
    this.#list.replaceChildren(...(this.#epoch ? [element("li", "aside", note)] : []));
    this.#prepend(publications);
    [this.#epoch, this.#newest] = [epoch, offset];
    this.#oldest = Math.min(...publications.map((one) => one.offset), offset + 1);
  }

  /** Read from the newest back: the room refuses a position that it no longer has. */
  async #goBack(upTo = this.#newest): Promise<void> {
    const limit = Math.min(ENTRIES_AT_MOST, upTo - this.#oldest + 1 + PAGE);
    const { publications, epoch, offset } = await this.#read({ limit, reverse: "true" });
    if (epoch !== this.#epoch) return this.#begin();
    const found = publications.filter((one) => one.offset < this.#oldest);
    // While nothing was followed more has come than one page.
    if (found.length === 0 && limit < ENTRIES_AT_MOST && offset > upTo) return this.#goBack(offset);
    this.#list.append(...newestFirst(found));
    this.#oldest = Math.min(...found.map((one) => one.offset));
    if (found.length === 0) this.#oldest = 1;
  }

  #read(query: Readonly<Record<string, string | number>>): Promise<HistoryPage> {
    return this.#api.get<HistoryPage>(this.#path, query);
  }

  /** A long list gets no longer: for each new message the oldest goes, and can be asked for again. */
  #prepend(publications: readonly Publication[]): void {
    this.#list.prepend(...newestFirst(publications));
    const surplus = this.#list.childElementCount - LINES_AT_MOST;
    for (let n = Math.min(surplus, publications.length); n > 0; n--) {
      const last = this.#list.lastElementChild as HTMLElement;
      last.remove();
      const { offset } = last.dataset as { readonly offset?: string };
      // The note of a new beginning has none.
      if (offset !== undefined) this.#oldest = Number(offset) + 1;
    }
  }
}

const newestFirst = (publications: readonly Publication[]): HTMLElement[] =>
  publications.toSorted((a, b) => b.offset - a.offset).map(rowOf);

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hour12: false });
const DATED = new Intl.DateTimeFormat(undefined, {
  ...{ dateStyle: "short", timeStyle: "medium", hour12: false },
});
const isToday = (at: number): boolean => new Date(at).toDateString() === new Date().toDateString();

function rowOf({ offset, target, arguments: args, at }: Publication): HTMLElement {
  const text = JSON.stringify(args);
  const shown =
    text.length > CHARACTERS_AT_MOST
      ? `${text.slice(0, CHARACTERS_AT_MOST)}… (${text.length} characters)`
      : text;
  const time = element("time", "", (isToday(at) ? CLOCK : DATED).format(at));
  time.dateTime = new Date(at).toISOString();
  const row = element(
    "li",
    "",
    element("span", "offset", `${offset}`),
    time,
    element("b", "", target),
    element("code", "", shown),
  );
  row.dataset["offset"] = `${offset}`;
  return row;
}
