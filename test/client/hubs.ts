// The hub of the client's tests. Only its type is used; no test runs its methods.

import * as z from "zod";
import { hub, method, stream, streamOf } from "../../src/dispatch/define/hub-definition.ts";

export interface TestClient {
  said(user: string, text: string): void;
  confirm(question: string): Promise<boolean>;
}

const TestHub = hub<TestClient>("test", { answers: { confirm: z.boolean() } }).methods({
  say: method([z.string()], () => null),
  add: method([z.number(), z.number().default(1)], (_context, a, b) => a + b),
  sum: method([streamOf(z.number())], () => 0),
  sumBoth: method([streamOf(z.number()), streamOf(z.number())], () => 0),
  count: stream([z.number()], async function* (_context, to) {
    yield to;
  }),
});

export type TestHub = typeof TestHub;
