// Messages about variables and secrets with wrong values, and the lines that fix them.

import type { Facts } from "./facts.ts";
import type { Fix, Problem } from "./problem.ts";

const command = (lines: string): Fix => ({ where: "a shell", lines });

const text = (name: string, value: string): Fix => ({
  where: "wrangler.toml",
  lines: `[vars]\n${name} = "${value}"`,
  json: `"vars": { "${name}": "${value}" }`,
});

const secret = (name: string, prefix = ""): Fix =>
  command(
    `echo "${name}=${prefix}$(openssl rand -base64 32)" >> .dev.vars    # for wrangler dev\nnpx wrangler secret put ${name}    # for production`,
  );

/** The line that fixes a problem of a variable; for a URL or a name it is an example. */
const FIXES: ReadonlyMap<string, Fix> = new Map([
  ["JWT_SECRET", secret("JWT_SECRET")],
  ["ACCESS_KEYS", secret("ACCESS_KEYS")],
  // Libraries of Standard Webhooks read a secret without the prefix as base64 too, and the worker reads it as a text.
  ["WEBHOOK_SECRET", secret("WEBHOOK_SECRET", "whsec_")],
  ["JWT_JWKS_URL", text("JWT_JWKS_URL", "https://id.example.com/.well-known/jwks.json")],
  ["JWT_ISSUER", text("JWT_ISSUER", "me")],
  ["JWT_AUDIENCE", text("JWT_AUDIENCE", "my-app")],
  ["ALLOWED_ORIGINS", text("ALLOWED_ORIGINS", "https://app.example,https://www.app.example")],
  ["WEBHOOK_URL", text("WEBHOOK_URL", "https://app.example/events")],
  ["WEBHOOK_CONNECT_URL", text("WEBHOOK_CONNECT_URL", "https://app.example/connect")],
  ["WEBHOOK_EVENTS", text("WEBHOOK_EVENTS", "connected,disconnected")],
]);

/** The fix for two sources of keys: remove one. */
const ONE_SOURCE = command(
  `echo "JWT_JWKS_URL=" >> .dev.vars    # for wrangler dev, with tokens of "dormouse token"\nnpx wrangler secret delete JWT_SECRET    # for production, with tokens of the provider`,
);

/**
 * The problem of a value that its reader does not accept; `sentence` begins with the variable's name. Undefined if the
 * value is not text, which is another problem.
 */
export function refusedValue(sentence: string, variables: Facts["variables"]): Problem | undefined {
  const name = /^[A-Z_]+/.exec(sentence)?.[0] ?? "";
  const fix = sentence.includes(" are both set") ? ONE_SOURCE : FIXES.get(name);
  if (!["string", "undefined"].includes(typeof variables[name])) return undefined;
  return { level: "error", text: sentence, ...(fix && { fix }) };
}

export const noText = (name: string): Problem => ({
  level: "error",
  text: `${name} is not a string: write its value in quotes.`,
});

export const noSwitch = (name: string): Problem => ({
  level: "advice",
  text: `${name} is neither "1" nor "0", and counts as "0".`,
  fix: text(name, "1"),
});

export const noLimiter = (name: string): Problem => ({
  level: "error",
  text: `${name} is no binding of Rate Limiting.`,
  fix: {
    where: "wrangler.toml",
    lines: `[[ratelimits]]\nname = "${name}"\nnamespace_id = "1"\nsimple = { limit = 600, period = 60 }`,
    json: `"ratelimits": [{ "name": "${name}", "namespace_id": "1", "simple": { "limit": 600, "period": 60 } }]`,
  },
});

export const noRate = (): Problem => ({
  level: "error",
  text: "REST_PER_SECOND is not a number above 0.",
  fix: text("REST_PER_SECOND", "1000"),
});
