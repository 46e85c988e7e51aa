// Rules of variables and secrets. What a value may be is known to the readers of auth/ and webhooks/; here are types,
// switches, and the lines to add.

import { accessKeyProblems } from "../auth/access-keys.ts";
import { authProblems, type AuthEnv } from "../auth/auth-config.ts";
import { webhookProblems, type WebhookEnv } from "../webhooks/webhook-config.ts";
import type { Facts } from "./facts.ts";
import type { Fix, Problem } from "./problem.ts";

const command = (lines: string): Fix => ({ where: "a shell", lines });

const text = (name: string, value: string): Fix => ({
  where: "wrangler.toml",
  lines: `[vars]\n${name} = "${value}"`,
  json: `"vars": { "${name}": "${value}" }`,
});

const secret = (name: string): Fix =>
  command(
    `echo "${name}=$(openssl rand -base64 32)" >> .dev.vars    # for wrangler dev\nnpx wrangler secret put ${name}    # for production`,
  );

/** A line that mends a problem of a variable; of a URL or a name it is an example. */
const FIXES: ReadonlyMap<string, Fix> = new Map([
  ["JWT_SECRET", secret("JWT_SECRET")],
  ["ACCESS_KEYS", secret("ACCESS_KEYS")],
  ["WEBHOOK_SECRET", secret("WEBHOOK_SECRET")],
  ["JWT_JWKS_URL", text("JWT_JWKS_URL", "https://id.example.com/.well-known/jwks.json")],
  ["JWT_ISSUER", text("JWT_ISSUER", "me")],
  ["JWT_AUDIENCE", text("JWT_AUDIENCE", "my-app")],
  ["ALLOWED_ORIGINS", text("ALLOWED_ORIGINS", "https://app.example,https://www.app.example")],
  ["WEBHOOK_URL", text("WEBHOOK_URL", "https://app.example/events")],
  ["WEBHOOK_CONNECT_URL", text("WEBHOOK_CONNECT_URL", "https://app.example/connect")],
  ["WEBHOOK_EVENTS", text("WEBHOOK_EVENTS", "connected,disconnected")],
]);

/** Of two sources of keys one is to be removed. */
const ONE_SOURCE = command(
  `echo "JWT_JWKS_URL=" >> .dev.vars    # for wrangler dev, with tokens of "dormouse token"\nnpx wrangler secret delete JWT_SECRET    # for production, with tokens of the provider`,
);

/** Values that the readers do not accept. Each sentence begins with the variable's name. */
export function values({ variables }: Facts): Problem[] {
  const env = Object.fromEntries(
    Object.entries(variables).filter(([, value]) => typeof value === "string"),
  ) as AuthEnv & WebhookEnv;
  const problems = [...authProblems(env), ...accessKeyProblems(env), ...webhookProblems(env)];
  return problems.flatMap((sentence) => {
    const name = /^[A-Z_]+/.exec(sentence)?.[0] ?? "";
    const fix = sentence.includes(" are both set") ? ONE_SOURCE : FIXES.get(name);
    // Of another type: `types` says so.
    return isText(variables[name])
      ? [{ level: "error", text: sentence, ...(fix && { fix }) } as const]
      : [];
  });
}

const isText = (value: unknown): boolean => ["string", "undefined"].includes(typeof value);

const SWITCHES = ["LOG_CONNECTIONS", "LOG_REFUSED_CALLS", "DEV_TOKENS", "DEVELOPMENT"];

const TEXTS = [
  ...["JWT_SECRET", "JWT_JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE", "JWT_ISSUERS"],
  ...["ALLOWED_ORIGINS", "USER_ID_CLAIM", "ROLES_CLAIM", "TENANT_CLAIM", "AUDIENCE_CLAIM"],
  ...["ACCESS_KEYS", "WEBHOOK_URL", "WEBHOOK_SECRET", "WEBHOOK_EVENTS", "WEBHOOK_CONNECT_URL"],
];

/** wrangler.toml may give a number or a table, which the server would not read. */
export const types = ({ variables }: Facts): Problem[] =>
  TEXTS.filter((name) => !isText(variables[name])).map((name) => ({
    level: "error",
    text: `${name} is no text: in [vars] its value is written in quotes.`,
  }));

/** A switch that is neither on nor off, which would be off without a word. */
export const switches = ({ variables }: Facts): Problem[] =>
  SWITCHES.filter((name) => !["", "0", "1", undefined].includes(variables[name] as string)).map(
    (name) => ({
      level: "advice",
      text: `${name} is neither "1" nor "0", and counts as "0".`,
      fix: text(name, "1"),
    }),
  );

export function rate({ variables: { REST_PER_SECOND: value = "" } }: Facts): Problem[] {
  if (value === "" || Number(value) > 0) return [];
  return [
    {
      level: "error",
      text: "REST_PER_SECOND is no number above 0.",
      fix: text("REST_PER_SECOND", "1000"),
    },
  ];
}
