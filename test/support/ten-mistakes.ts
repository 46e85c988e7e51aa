// Ten mistakes of a new user, and the words that tell them: one table for the engine's test, for that of the real
// endpoint and browser, and for docs/troubleshooting.md, which has the same words.

export interface Words {
  readonly code: string;
  readonly status: number;
  /** The whole sentence, as clients show it. */
  readonly message: string;
  readonly action: string;
}

const token = (code: string, message: string, action: string): Words => ({
  ...{ code, status: 401, message, action },
});

const misconfigured = (problem: string): Words => ({
  ...{ code: "misconfigured", status: 500 },
  message: `The worker is misconfigured. Problems: 1.\n\n1. ${problem}\n`,
  action: "Fix the listed problems. `npx dormouse check` finds them before a deploy.",
});

const inShell = (name: string): string =>
  `In a shell:\n    echo "${name}=$(openssl rand -base64 32)" >> .dev.vars    # for wrangler dev\n    npx wrangler secret put ${name}    # for production`;

/** Of refused connections. Wrong arguments refuse a call, and are below. */
export const TEN = {
  "no token": token(
    "token_missing",
    "A token is needed: Authorization: Bearer, or access_token in the query.",
    "Give the client a `token`, or make the hub `anonymous`.",
  ),
  "a wrong issuer": token(
    "token_wrong_issuer",
    "The token has another issuer (claim iss).",
    "Compare the claim `iss` with JWT_ISSUER of the server.",
  ),
  "a misspelt hub": {
    ...{ code: "hub_not_found", status: 404, message: 'There is no hub "chta".' },
    action: "Compare the name in the URL with the hubs that the server serves.",
  },
  "a closed room": {
    ...{ code: "forbidden", status: 403, message: "This room is not for this user." },
    action:
      "Check the hub's policies (a kind of rooms without `enter` is closed) and the roles in the token.",
  },
  "a forgotten binding": misconfigured(
    'The binding RELAYS is missing. In wrangler.toml:\n    [[durable_objects.bindings]]\n    name = "RELAYS"\n    class_name = "Relay"',
  ),
  "a short secret": misconfigured(`JWT_SECRET is under 32 bytes. ${inShell("JWT_SECRET")}`),
  "a missing secret": misconfigured(
    `JWT_SECRET is missing, and so is JWT_JWKS_URL; one of them is needed. ${inShell("JWT_SECRET")}`,
  ),
  "an old compatibility date": misconfigured(
    'The compatibility date is before 2026-10-01. In wrangler.toml:\n    compatibility_date = "2026-10-01"',
  ),
  "a foreign origin": {
    ...{ code: "forbidden_origin", status: 403, message: "This origin may not connect." },
    action: "Add the page's origin to ALLOWED_ORIGINS of the server.",
  },
  "an old client": {
    ...{ code: "client_too_old", status: 400 },
    message: "This server supports clients from version 0.1.0 on; this one is 0.0.9.",
    action: "Update the package `dormouse-hubs` of the client, and reload the page.",
  },
} as const satisfies Readonly<Record<string, Words>>;

export type Mistake = keyof typeof TEN;

/**
 * Of a method `sayTo(connection, text)` that is called with a number in its place, and what stock clients make of it.
 */
export const WRONG_ARGUMENTS = "Argument 1: Invalid input: expected string, received number";
export const WRONG_ARGUMENTS_SIGNALR = `InvalidDataException: Error binding arguments. Make sure that the types of the provided values match the types of the hub method being invoked. ${WRONG_ARGUMENTS}`;
