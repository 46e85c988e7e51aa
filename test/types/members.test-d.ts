// Members of hubs that are declared outside of their hub, in files of their own. Compiled by `npm run types`; never run.

import * as z from "zod";
import {
  action,
  authorize,
  hub,
  internal,
  method,
  role,
  stream,
  type HubCalls,
  type HubContext,
} from "../../src/hub.ts";
import { expect, type Equal } from "./equal.ts";

interface Told {
  said(text: string): void;
}
interface Asked extends Told {
  confirm(question: string): Promise<boolean>;
}

// Members that do not use the clients fit every hub.
const ping = method([], () => "pong");
const ticks = stream([z.number()], async function* (_context, to) {
  yield to;
});
const whoAmI = authorize(role("x")).method([], ({ user }) => user.id);
// Handlers that write down their context fit hubs with these client methods, or more.
const say = async ({ clients }: HubContext<Told>, text: string) => clients.all.said(text);
const ask = ({ clients }: HubContext<Asked>, question: string) => clients.caller.confirm(question);

const answers = { confirm: z.boolean() };
export const AskedHub = hub<Asked>("asked", { answers }).methods({
  ...{ ping, ticks, whoAmI },
  say: method([z.string()], say),
  ask: authorize(role("x")).method([z.string()], ask),
});
export const ToldHub = hub<Told>("told").methods({
  ...{ ping, ticks, whoAmI },
  say: method([z.string()], say),
  // @ts-expect-error clients of this hub do not answer
  ask: method([z.string()], ask),
});
export const SilentHub = hub("silent").methods({ ping, ticks, whoAmI });

declare const calls: HubCalls<typeof AskedHub>;
expect<Equal<typeof calls.invoke.ping, () => Promise<string>>>();
expect<Equal<typeof calls.invoke.say, (text: string) => Promise<void>>>();
expect<Equal<typeof calls.invoke.ask, (question: string) => Promise<boolean>>>();
expect<Equal<typeof calls.stream.ticks, (to: number) => AsyncIterable<number>>>();

// Actions that do not use the types of their room fit every room.
const add = action([z.number()], ({ now }, by) => now + by);
const tick = internal([], () => {});
export const Counters = hub<Told>("counters")
  .state("group", { schema: z.object({ n: z.number() }), initial: { n: 0 } })
  .internal({ tick })
  .actions({ add })
  .methods({ ping, ticks, say: method([z.string()], say) });
