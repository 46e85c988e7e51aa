// docs/auth.md sets for each identity provider what its tokens are tested with (test/auth/providers.test.ts).

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { PROVIDERS, type ProviderRow } from "../auth/provider-rows.ts";

const PAGE = readFileSync(fileURLToPath(new URL("../../docs/auth.md", import.meta.url)), "utf8");

/** The variables that a provider's section sets. */
function settingsIn(section: string): Readonly<Record<string, string>> {
  const [, block = ""] = PAGE.split(`\n## ${section}\n\n\`\`\`toml\n[vars]\n`);
  const lines = block.slice(0, block.indexOf("```")).matchAll(/^(\w+) = "([^"]*)"/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name!, value!]));
}

const claimsIn = (settings: object) =>
  Object.fromEntries(Object.entries(settings).filter(([name]) => name.endsWith("_CLAIM")));

/** Of a tenant's claim that is the application's own choice, the page says nothing. */
const OWN_TENANTS = new Set(["custom:tenant", "app_metadata.tenant"]);

const tested: readonly (readonly [section: string, row: keyof typeof PROVIDERS])[] = [
  ["Entra ID", "Entra ID v2, by the object id"],
  ["Auth0", "Auth0"],
  ["Keycloak", "Keycloak"],
  ["Cognito", "Cognito's id token"],
  ["Firebase", "Firebase"],
  ["Supabase", "Supabase"],
  ["Clerk", "Clerk"],
];

it.each(tested)("sets for %s the claims that are tested", (section, row) => {
  const { env } = PROVIDERS[row] as ProviderRow;
  const claims = Object.entries(claimsIn(env)).filter(([, claim]) => !OWN_TENANTS.has(claim));
  expect(claimsIn(settingsIn(section))).toEqual(Object.fromEntries(claims));
});

it.each(tested)("has issuer, audience and keys of %s", (section, row) => {
  const { JWT_ISSUER = "", JWT_AUDIENCE, JWT_JWKS_URL = "" } = settingsIn(section);
  const { env } = PROVIDERS[row] as ProviderRow;
  expect(JWT_AUDIENCE).not.toBe("");
  expect(new URL(JWT_JWKS_URL).protocol).toBe("https:");
  // Slashes at the end count: the provider's own.
  expect(JWT_ISSUER.endsWith("/")).toBe(env.JWT_ISSUER?.endsWith("/"));
});
