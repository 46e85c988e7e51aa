// The conversation: what is said in the room, who comes and goes, and what was missed while the line was down.

import type { Connection } from "../src/client/index.ts";
import { parsePosition } from "../src/model/position.ts";
import type { ChatHub } from "../src/hubs/chat.ts";
import { byId, element, faceOf, onSubmit, timeOf } from "./dom.ts";
import { showWhoIsHere } from "./here.ts";

interface Said {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly position: string;
  readonly at: number;
  readonly isMissed?: boolean;
}

const EARLIER = 50;
const KEPT_LINES = 500;

export function chatPanel(chat: Connection<ChatHub>, room: string): void {
  const log = new Log(byId("log"));
  byId("chat-title").textContent = `#${room}`;
  let replayedTo = 0;
  chat.onConnected(({ recovered, position }) => {
    replayedTo = recovered ? parsePosition(position).offset : 0;
  });
  chat.onRecovered(({ replayed }) => {
    const what = replayed === 1 ? "1 message" : `${replayed} messages`;
    log.note(replayed ? `Back: recovered ${what}.` : "Back: nothing was missed.", "good");
  });
  chat.onReload(() => {
    log.clear();
    log.note("Back, but too late to catch up: reloaded.", "bad");
    void loadEarlier(chat, log);
  });
  chat.onMessage(({ method, params, position }) => {
    if (position === undefined) return;
    const isMissed = parsePosition(position).offset <= replayedTo;
    log.show({ method, params, position, at: Date.now(), isMissed });
  });
  void loadEarlier(chat, log);
  showWhoIsHere(chat);
  sayForm(chat, room, log);
}

async function loadEarlier(chat: Connection<ChatHub>, log: Log): Promise<void> {
  try {
    const { messages } = await chat.history({ limit: EARLIER, reverse: true });
    log.showEarlier(messages.toReversed());
  } catch {
    log.note("What was said earlier could not be had.", "bad");
  }
}

function sayForm(chat: Connection<ChatHub>, room: string, log: Log): void {
  const input = byId("say", HTMLInputElement);
  onSubmit(byId("chat-form", HTMLFormElement), byId("chat-error"), async () => {
    const text = input.value.trim();
    if (text === "") return;
    input.value = "";
    const pending = log.pending(text);
    try {
      // A key, so that what was said when the line broke may be said again and is heard once.
      const repeatable = chat.with({ idempotencyKey: crypto.randomUUID() });
      await repeatable.invoke.sendToRoom(room, text);
    } catch (error) {
      input.value ||= text;
      throw error;
    } finally {
      pending.remove();
    }
  });
}

/** The room's log as the page shows it: each position once, and in order. */
class Log {
  readonly #list: HTMLElement;
  readonly #shown = new Set<string>();

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  show(said: Said): void {
    const line = this.#lineOf(said);
    if (line) this.#append(line);
  }

  /** History that came after live messages belongs before them. */
  showEarlier(messages: readonly Said[]): void {
    const lines = messages.map((said) => this.#lineOf(said)).filter((line) => line !== undefined);
    this.#list.prepend(...lines);
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  clear(): void {
    this.#list.replaceChildren();
    this.#shown.clear();
  }

  note(text: string, tone: "good" | "bad"): void {
    this.#append(element("li", `aside ${tone}`, text));
  }

  pending(text: string): HTMLElement {
    const line = element("li", "pending", element("p", "text", text));
    line.ariaHidden = "true";
    this.#append(line);
    return line;
  }

  /** Undefined for what is not shown: presence, and what is there already. */
  #lineOf({ method, params, position, at, isMissed }: Said): HTMLElement | undefined {
    if (this.#shown.has(position)) return undefined;
    const [user, text] = params.map(String);
    if (user === undefined) return undefined;
    const line = lineOf(method, user, text ?? "", { at, isMissed: isMissed === true });
    if (line) this.#shown.add(position);
    return line;
  }

  #append(line: HTMLElement): void {
    const list = this.#list;
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
    list.append(line);
    while (list.childElementCount > KEPT_LINES) list.firstElementChild?.remove();
    if (isAtEnd) list.scrollTop = list.scrollHeight;
  }
}

function lineOf(
  method: string,
  user: string,
  text: string,
  { at, isMissed }: { readonly at: number; readonly isMissed: boolean },
): HTMLElement | undefined {
  switch (method) {
    case "receiveMessage": {
      const by = element("p", "by", element("b", "", user));
      by.append(isMissed ? element("i", "", "while you were away") : timeOf(at));
      return element("li", "", faceOf(user), by, element("p", "text", text));
    }
    case "userJoined":
      return element("li", "aside", `${user} came in`);
    case "userLeft":
      return element("li", "aside", `${user} left`);
    default:
      return undefined;
  }
}
