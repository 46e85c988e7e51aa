// A reader of Server-Sent Events, in tests inside workerd.

import { exports } from "cloudflare:workers";
import { onTestFinished } from "vitest";
import { token } from "../../rooms/client.ts";

export interface Told {
  readonly event?: string;
  readonly id?: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test knows what it asked for
  readonly data?: any;
}

/** Reads a stream of events, as they come. */
export async function listen(path: string, headers: Record<string, string> = {}, user = "alice") {
  const separator = path.includes("?") ? "&" : "?";
  const url = `https://edge.example${path}${separator}access_token=${await token(user)}`;
  const response = await exports.default.fetch(url, {
    headers: { accept: "text/event-stream", ...headers },
  });
  const told: Told[] = [];
  const raw: string[] = [];
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const waiting: (() => void)[] = [];
  const isOver = (async () => {
    let text = "";
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      text += read.value;
      const blocks = text.split("\n\n");
      text = blocks.pop()!;
      for (const block of blocks) {
        raw.push(block);
        const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
        if (fields["event"]) told.push({ ...fields, data: JSON.parse(fields["data"]) });
      }
      for (const wake of waiting.splice(0)) wake();
    }
  })().catch(() => {});
  const next = async (matches: (one: Told) => boolean): Promise<Told> => {
    for (;;) {
      const found = told.find(matches);
      if (found) return found;
      await new Promise<void>((wake) => waiting.push(wake));
    }
  };
  const stop = () => reader.cancel();
  onTestFinished(() => stop().catch(() => {}));
  return { response, told, raw, next, stop, isOver };
}
