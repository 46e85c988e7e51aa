// A hub whose one action notes each of its steps, and fails at those that a test names.

import { action, authorize, hub, HubError } from "../../src/hub.ts";

/** What a test sets and reads. */
export const steps = {
  passed: [] as string[],
  failing: new Set<string>(),
  /** In the midst of the action. */
  during: () => {},
};

export const startAnew = (): void =>
  void Object.assign(steps, { passed: [], failing: new Set(), during: () => {} });

function passes(step: string): boolean {
  steps.passed.push(step);
  return !steps.failing.has(step);
}

function judged(step: string): true {
  if (passes(step)) return true;
  throw new HubError(`no_${step}`, "A test wants it so.");
}

const checked = <T>(step: string) =>
  ({
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) =>
        passes(step) ? { value: value as T } : { issues: [{ message: "No." }] },
    },
  }) as const;

interface State {
  readonly count: number;
  readonly label: string;
}

export const StepwiseHub = hub<{ said(now: number): void }>("stepwise", {
  authorize: ({ method }) => method === undefined || judged("hub"),
  rooms: { group: { enter: () => judged("enter") } },
})
  .state("group", {
    schema: checked<{ count: number; label: string }>("state"),
    // A patch is shorter than it.
    initial: { count: 0, label: "x".repeat(100) },
    view(state: State) {
      if (!passes("commit")) throw new Error("A test wants it so.");
      return state;
    },
  })
  .actions({
    act: authorize(() => judged("policy")).action([checked<string>("arguments")], (context, _) => {
      judged("run");
      const { now: first } = context;
      context.state.count++;
      steps.during();
      context.clients.room.said(context.now);
      return [first, context.now];
    }),
    quiet: action([], () => null),
  });
