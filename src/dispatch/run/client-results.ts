// Questions to a client: calls with an id that wait for its answer, for as long as the hub allows.

import { HubError } from "../../model/errors.ts";

interface Question {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: HubError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class ClientResults {
  readonly #open = new Map<string, Question>();
  readonly #seconds: number;
  /** Ids begin anew with the object's memory: an answer from before must not meet a question of now. */
  readonly #run: string;
  #count = 0;

  constructor(seconds: number, run = crypto.randomUUID().slice(0, 8)) {
    this.#seconds = seconds;
    this.#run = run;
  }

  /** Calls `send` with a fresh id, and waits. Throws `timed_out`, `interrupted`, or what the client said. */
  ask(send: (id: string) => void): Promise<unknown> {
    // `s` keeps the server's ids apart from a client's, as ASP.NET does.
    const id = `s${++this.#count}-${this.#run}`;
    return new Promise((resolve, reject) => {
      const late = () =>
        this.refuse(id, new HubError("timed_out", "The client did not answer in time."));
      this.#open.set(id, { resolve, reject, timer: setTimeout(late, this.#seconds * 1000) });
      send(id);
    });
  }

  /** False where nobody asked. */
  answer(id: unknown, answer: unknown): boolean {
    const question = this.#take(id);
    question?.resolve(answer);
    return question !== undefined;
  }

  refuse(id: unknown, error: HubError): boolean {
    const question = this.#take(id);
    question?.reject(error);
    return question !== undefined;
  }

  /** The client is gone: nobody will answer. */
  close(): void {
    for (const id of this.#open.keys())
      this.refuse(id, new HubError("interrupted", "The client is gone and did not answer."));
  }

  #take(id: unknown): Question | undefined {
    const question = typeof id === "string" ? this.#open.get(id) : undefined;
    if (!question) return undefined;
    clearTimeout(question.timer);
    this.#open.delete(id as string);
    return question;
  }
}
