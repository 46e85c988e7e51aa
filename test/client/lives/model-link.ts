// One connection as the modelled server sees it. Frames in both directions arrive late, in the order of their sending,
// and are swallowed by a link that is half-open.

import { PING } from "../../../src/model/wire-constants.ts";
import { FakeSocket, type SentMessage } from "../server.ts";

export class ModelLink {
  readonly id: string;
  readonly userId = "alice";
  readonly socket: LinkedSocket;
  /** Frames of the client that have not arrived. */
  readonly inbox: string[] = [];
  /** Messages to the client that have not arrived. */
  readonly outbox: (object | string)[] = [];
  /** Answers that messages overtake. */
  readonly late: object[] = [];
  readonly uploads = new Map<string, { readonly call: string; readonly items: unknown[] }>();
  readonly streams = new Map<string, { next: number; readonly to: number }>();
  isHalfOpen = false;
  isGreeted = false;
  hasEnded = false;

  constructor(id: string, socket: LinkedSocket) {
    this.id = id;
    this.socket = socket;
  }

  post(message: object | string): void {
    if (!this.hasEnded) this.outbox.push(message);
  }

  /** The messages that arrive at the server now. */
  take(count: number): SentMessage[] {
    return this.inbox.splice(0, count).flatMap((frame): SentMessage[] => {
      if (frame !== PING) return ([] as SentMessage[]).concat(JSON.parse(frame));
      this.post(PING);
      return [];
    });
  }

  /** The oldest messages arrive at the client, in one frame. */
  deliver(count: number): void {
    if (this.isHalfOpen || this.socket.readyState !== 1) return;
    if (this.outbox[0] === PING) return this.socket.deliver(this.outbox.shift() as string);
    const end = this.outbox.indexOf(PING);
    const most = end === -1 ? count : Math.min(end, count);
    const messages = this.outbox.splice(0, most);
    if (messages.length > 0) this.socket.deliver(messages.length === 1 ? messages[0]! : messages);
  }
}

/** A socket of the client, whose frames arrive in the inbox of its link. */
export class LinkedSocket extends FakeSocket {
  link!: ModelLink;

  override send(frame: string): void {
    super.send(frame);
    if (this.readyState === 1) this.link.inbox.push(frame);
  }
}
