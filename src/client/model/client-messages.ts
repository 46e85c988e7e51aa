// Messages as the application receives them, live or from a room's history.

/** A message published in a room, or sent to this client alone (then `room` and `position` are absent). */
export interface Message {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly room?: string;
  /** `epoch:offset`. */
  readonly position?: string;
}

export interface HistoryQuery {
  /** A position (`epoch:offset`): only messages after it. Absent: the newest messages of the room. */
  readonly since?: string;
  /** Messages in one page. The server caps it at a limit of its own. */
  readonly limit?: number;
  /** The newest messages, newest first. Default: oldest first. */
  readonly reverse?: boolean;
}

export interface HistoryPage {
  readonly messages: readonly {
    readonly method: string;
    readonly params: readonly unknown[];
    readonly position: string;
    /** When it was published, in milliseconds since 1970. */
    readonly at: number;
  }[];
  /** The room's newest position (`epoch:offset`) at the time of the answer, not that of the page's last message. */
  readonly position: string;
}
