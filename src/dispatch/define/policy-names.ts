// Texts of policies, for the log in development.

import { serverError, type HubError } from "../../model/errors.ts";
import { withFacts } from "../../model/refusal-facts.ts";

type Named = (...args: never[]) => unknown;

const NAMES = new WeakMap<Named, string>();

/** Registers the text of a policy for developers, and returns the policy. */
export function describedAs<P extends Named>(text: string, policy: P): P {
  NAMES.set(policy, text);
  return policy;
}

/** The most characters of a policy's source text. */
const MOST = 200;

/** The text of a policy; for one of the application, its source text. */
export const policyText = (policy: Named): string =>
  NAMES.get(policy) ?? policy.toString().replaceAll(/\s+/g, " ").slice(0, MOST);

interface Judged {
  /** The text of the policy that refuses; called only if it is logged. */
  expected(): string;
  readonly user: { readonly id: string; readonly roles: readonly string[] } | null;
  readonly room?: string;
}

/** `forbidden`, with its facts for the log: id and roles of the user, without claims. */
export const forbidden = (sentence: string, { expected, user, room }: Judged): HubError =>
  withFacts(serverError("forbidden", sentence), () => ({
    expected: expected(),
    received: { user: user?.id ?? null, roles: user?.roles ?? [], ...(room && { room }) },
  }));

interface Rules {
  readonly enter?: Named | undefined;
  readonly authorize?: Named | undefined;
}

/** The text of the rule for a kind of rooms: `rooms.group.enter: signedIn`. */
export function ruleText(kind: string, { enter, authorize }: Rules = {}): string {
  const admitted = authorize ? `, by authorize: ${policyText(authorize)}` : "";
  if (kind === "user") return `the user of this room${admitted}; or a token that grants it`;
  const rule = `rooms.${kind}.enter`;
  return enter ? `${rule}: ${policyText(enter)}` : `${rule} is not set, so that nobody may enter`;
}
