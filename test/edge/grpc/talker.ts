// A session that a test leads word by word, over a body that stays open.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import type {
  Hub,
  SessionRequestSchema,
  SessionResponse,
} from "../../../src/protocols/proto/dormouse/v1/hub_pb.ts";
import { as, clientBy } from "./client.ts";

type Request = MessageInitShape<typeof SessionRequestSchema>;
type Said = NonNullable<Request["kind"]>;

export class Talker implements Disposable {
  readonly #abort = new AbortController();
  readonly #words: AsyncIterator<SessionResponse>;
  readonly #said: Request[] = [];
  #more = Promise.withResolvers<void>();
  #isOver = false;
  connectionId = "";
  #ids = 0;

  constructor(client: Client<typeof Hub>, options: { headers: HeadersInit }) {
    const { signal } = this.#abort;
    const stream = client.session(this.#body(), { ...options, signal });
    this.#words = stream[Symbol.asyncIterator]();
  }

  async *#body(): AsyncGenerator<Request> {
    for (;;) {
      yield* this.#said.splice(0);
      if (this.#said.length > 0) continue;
      if (this.#isOver) return;
      this.#more = Promise.withResolvers();
      await this.#more.promise;
    }
  }

  say(kind: Said, id = this.#ids++): number {
    this.#said.push({ id, kind });
    this.#more.resolve();
    return id;
  }

  /** The caller has said all. */
  finish(): void {
    this.#isOver = true;
    this.#more.resolve();
  }

  /** Null at the end. */
  async next(): Promise<SessionResponse["kind"] | null> {
    const { done, value } = await this.#words.next();
    return done ? null : value.kind;
  }

  /** The answer to a call; what comes before it goes to `others`. */
  async answer(id: number, others: SessionResponse["kind"][] = []) {
    for (;;) {
      const kind = await this.next();
      if (kind === null) throw new Error("The session has ended.");
      if (kind.case === "answer" && kind.value.id === id) return kind.value.outcome;
      others.push(kind);
    }
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
    this.finish();
  }
}

export async function begun(
  hub: string,
  { user = "alice", claims = {}, presence = false } = {},
): Promise<Talker> {
  const talker = new Talker(clientBy(), await as(user, claims));
  talker.say({ case: "hello", value: { hub, presence } });
  const ready = await talker.next();
  if (ready?.case !== "ready") throw new Error("It did not begin.");
  talker.connectionId = ready.value.connectionId;
  talker.say({ case: "confirm", value: ready.value.confirm });
  return talker;
}
