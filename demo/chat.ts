// The chat panel: messages and joins of the room, live and from its history, and notes about lost connections.

import type { RoomConnection } from "./app.ts";
import { byId, element, faceOf, onSubmit, sentence, timeOf } from "./dom.ts";
import { memberList } from "./member-list.ts";

interface RoomMessage {
  readonly method: string;
  readonly params: readonly unknown[];
  /** `epoch:offset`. */
  readonly position: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Published while the connection was lost, and replayed after it. */
  readonly isReplayed?: boolean;
}

const HISTORY_LIMIT = 50;
const MAX_LINES = 500;

export function chatPanel(chat: RoomConnection, room: string): void {
  const log = new ChatLog(byId("log"));
  byId("chat-title").textContent = `#${room}`;
  chat.onRecovered(({ replayed }) => {
    const count = replayed === 1 ? "1 message" : `${replayed} messages`;
    log.note(replayed ? `Back: recovered ${count}.` : "Back: nothing was missed.", "good");
  });
  chat.onReload(() => {
    log.clear();
    log.note("Back, but too late to catch up: reloaded.", "bad");
    void loadHistory(chat, log);
  });
  // #region page
  chat.onMessage(({ method, params, position }) => {
    if (position === undefined) return;
    // Behind a loss, the room counts as connected again once its replay is complete.
    const isReplayed = chat.state.status !== "connected";
    log.show({ method, params, position, at: Date.now(), isReplayed });
  });
  // #endregion
  void loadHistory(chat, log);
  memberList(chat);
  messageForm(chat, room, log);
}

async function loadHistory(chat: RoomConnection, log: ChatLog): Promise<void> {
  try {
    const { messages } = await chat.history({ limit: HISTORY_LIMIT, reverse: true });
    log.showHistory(messages.toReversed());
  } catch {
    log.note("What was said earlier could not be had.", "bad");
  }
}

function messageForm(chat: RoomConnection, room: string, log: ChatLog): void {
  const input = byId("say", HTMLInputElement);
  onSubmit(byId("chat-form", HTMLFormElement), byId("chat-error"), async () => {
    const text = input.value.trim();
    if (text === "") return;
    input.value = "";
    const pending = log.pending(text);
    try {
      // #region page
      // With an idempotency key, the client repeats the call after a lost connection, and the room publishes it once.
      const repeatable = chat.with({ idempotencyKey: crypto.randomUUID() });
      await repeatable.invoke.sendToRoom(room, text);
      // #endregion
    } catch (error) {
      input.value ||= text;
      throw error;
    } finally {
      pending.remove();
    }
  });
}

/** The list of messages on the page: each position once, and in order. */
class ChatLog {
  readonly #list: HTMLElement;
  readonly #scroller: HTMLElement;
  readonly #shownPositions = new Set<string>();

  constructor(list: HTMLElement) {
    this.#list = list;
    this.#scroller = list.parentElement!;
  }

  show(message: RoomMessage): void {
    const line = this.#newLine(message);
    if (line) this.#append(line);
  }

  /** Goes before the live messages, which may have arrived earlier than the history. */
  showHistory(messages: readonly RoomMessage[]): void {
    const lines = messages.flatMap((message) => this.#newLine(message) ?? []);
    this.#list.prepend(...lines);
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  clear(): void {
    this.#list.replaceChildren();
    this.#shownPositions.clear();
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

  /** Undefined for a position that is shown already, and for messages without a line, such as presence. */
  #newLine(message: RoomMessage): HTMLElement | undefined {
    if (this.#shownPositions.has(message.position)) return undefined;
    const line = lineOf(message);
    if (!line) return undefined;
    this.#shownPositions.add(message.position);
    line.dataset["position"] = message.position;
    return line;
  }

  /** Scrolls only if the user was at the end: not while earlier messages are being read. */
  #append(line: HTMLElement): void {
    const [list, scroller] = [this.#list, this.#scroller];
    const isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
    list.append(line);
    while (list.childElementCount > MAX_LINES) this.#removeOldest();
    if (isAtEnd) scroller.scrollTop = scroller.scrollHeight;
  }

  #removeOldest(): void {
    const line = this.#list.firstElementChild as HTMLElement;
    line.remove();
    this.#shownPositions.delete(line.dataset["position"] ?? "");
  }
}

function lineOf({ method, params, at, isReplayed }: RoomMessage): HTMLElement | undefined {
  const [user, text = ""] = params.map(String);
  if (user === undefined) return undefined;
  switch (method) {
    case "receiveMessage": {
      const byline = element("p", "by", element("b", "", user));
      byline.append(isReplayed ? element("i", "", "while you were away") : timeOf(at));
      return element("li", "", faceOf(user), byline, element("p", "text", text));
    }
    case "userJoined":
      return element("li", "aside", sentence`${user} came in`);
    case "userLeft":
      return element("li", "aside", sentence`${user} left`);
    default:
      return undefined;
  }
}
