// Calls of the modelled server that expect a result of the client: answered once, and on the connection of the call.

import type { Chance } from "../../support/seed.ts";
import type { SentMessage } from "../server.ts";
import type { ModelLink } from "./model-link.ts";

interface Question {
  readonly link: ModelLink;
  readonly text: string;
  answers: number;
}

export class Questions {
  readonly #chance: Chance;
  readonly #byId = new Map<string, Question>();
  /** Answers that the application is still working on. */
  readonly #slow: (() => void)[] = [];
  readonly faults: string[] = [];

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  ask(link: ModelLink): void {
    const id = `s${this.#byId.size + 1}`;
    const text = this.#chance.pick(["yes", "no", "throw", "slow"]);
    this.#byId.set(id, { link, text, answers: 0 });
    link.post({ id, method: "confirm", params: [text] });
  }

  /** The application's handler. */
  readonly confirm = async (text: string): Promise<string> => {
    if (text === "throw") throw new Error("No answer.");
    if (text === "slow") await new Promise<void>((resolve) => void this.#slow.push(resolve));
    return text;
  };

  /** The application gets on with its work. */
  proceed(): void {
    this.#slow.shift()?.();
  }

  /** Questions that this connection has not answered. */
  pending(link: ModelLink): number {
    return [...this.#byId.values()].filter((one) => one.link === link && one.answers === 0).length;
  }

  receive(link: ModelLink, { id, result, error }: SentMessage): void {
    const question = this.#byId.get(id ?? "");
    if (!question) return void this.faults.push(`An answer to ${id}, which was no question.`);
    if (question.link !== link) this.faults.push(`${id} was answered on another connection.`);
    if ((question.answers += 1) > 1) this.faults.push(`${id} was answered again.`);
    const isRight = question.text === "throw" ? error !== undefined : result === question.text;
    if (!isRight) this.faults.push(`${id} (${question.text}) was answered ${String(result)}.`);
  }
}
