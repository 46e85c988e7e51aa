// The limit of sockets on a relay: SignalR's protocol, one hop from the rooms that they are in.

import { DurableObject } from "cloudflare:workers";
import { accountOf, LOGGED, upgraded, USER, type LimitsEnv } from "./limits-objects.ts";

const END = "\u001e";

interface SignalRCall {
  readonly type: number;
  readonly invocationId?: string;
  readonly target?: string;
  readonly arguments?: readonly string[];
}

const invocation = (text: string): string =>
  JSON.stringify({ type: 1, target: "Said", arguments: [text] }) + END;

const completion = (invocationId: string | undefined, result: unknown): string =>
  JSON.stringify({ type: 3, invocationId, result }) + END;

/** Sockets of many rooms, in SignalR's protocol. */
export class Relay extends DurableObject<LimitsEnv> {
  readonly #members = new Map<string, Set<WebSocket>>();

  override async fetch(request: Request): Promise<Response> {
    const user = request.headers.get(USER)!;
    await accountOf(this.env, user).admit(user, this.ctx.id.name!);
    return upgraded(this.ctx, { user });
  }

  override async webSocketMessage(socket: WebSocket, frame: string): Promise<void> {
    for (const text of frame.split(END).slice(0, -1)) {
      const call = JSON.parse(text) as SignalRCall;
      if (call.type === 1) await this.#run(socket, call);
      else if (call.type === undefined) socket.send(`{}${END}`);
    }
  }

  async #run(socket: WebSocket, { invocationId, target, arguments: args }: SignalRCall) {
    const [room = "", text = ""] = args ?? [];
    if (target === "Join") await this.#join(socket, room);
    else if (target === "Say") await this.#room(room).publish(text);
    const result = target === "Echo" ? room : null;
    if (invocationId !== undefined) socket.send(completion(invocationId, result));
  }

  async #join(socket: WebSocket, room: string): Promise<void> {
    const members = this.#members.get(room);
    this.#members.set(room, (members ?? new Set()).add(socket));
    if (!members) await this.#room(room).follow(this.ctx.id.name!);
  }

  #room(name: string) {
    return this.env.ROOMS.getByName(`${LOGGED}${name}`);
  }

  deliver(room: string, texts: readonly string[]): void {
    const frame = texts.map(invocation).join("");
    for (const socket of this.#members.get(room) ?? []) socket.send(frame);
  }

  echo(text: string): string {
    return text;
  }
}
