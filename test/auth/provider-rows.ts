// Tokens in the shapes that identity providers document, with the settings for each: for providers.test.ts, and for the
// page that has them, docs/auth.md.

import type { AuthEnv } from "../../src/auth/authenticate.ts";

/** The time at which the tokens were issued. */
const SECONDS = Date.UTC(2026, 9, 1, 12) / 1000;

const DIRECTORY = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const OID = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb";
const UUID = "11ebec9b-def8-40db-a657-02bdde002daa";
const times = { iat: SECONDS, exp: SECONDS + 3600 };

/** The settings for a provider, a token of it, and the user that it gives. */
export interface ProviderRow {
  readonly env: AuthEnv;
  readonly header?: object;
  readonly claims: object;
  readonly user: { readonly id: string; readonly roles: string[]; readonly tenant: string };
}

const entra = { ...times, nbf: SECONDS, aio: "AUQAu/8TA", oid: OID, rh: "0.AXA", tid: DIRECTORY };
const microsoft: Readonly<Record<string, ProviderRow>> = {
  "Entra ID v1": {
    env: { JWT_ISSUER: "https://sts.windows.net/{tenantid}/", JWT_AUDIENCE: "api://6e74172b" },
    header: { typ: "JWT", x5t: "SSQdhI1cKvhQEDSJxE2gGYs40Q0" },
    claims: {
      ...{ ...entra, aud: "api://6e74172b", iss: `https://sts.windows.net/${DIRECTORY}/` },
      ...{ acr: "1", amr: ["pwd"], appid: "11112222", appidacr: "0", ipaddr: "192.0.2.1" },
      ...{ name: "Alice", roles: ["Admin"], scp: "access", sub: "l3_roISQU222bULS9yi2k0XpqpOi" },
      ...{
        unique_name: "alice@example.com",
        upn: "alice@example.com",
        uti: "fqiBqXLP",
        ver: "1.0",
      },
    },
    user: { id: "l3_roISQU222bULS9yi2k0XpqpOi", roles: ["Admin"], tenant: DIRECTORY },
  },
  "Entra ID v2, by the object id": {
    env: {
      JWT_ISSUER: "https://login.microsoftonline.com/{tenantid}/v2.0",
      ...{ JWT_AUDIENCE: "6e74172b-be56-4843-9ff4-e66a39bb12e3", USER_ID_CLAIM: "oid" },
    },
    header: { typ: "JWT" },
    claims: {
      ...{ ...entra, aud: "6e74172b-be56-4843-9ff4-e66a39bb12e3" },
      ...{ iss: `https://login.microsoftonline.com/${DIRECTORY}/v2.0`, azp: "7c84", azpacr: "0" },
      ...{ name: "Alice", preferred_username: "alice@example.com", roles: ["Admin", "Editor"] },
      ...{ scp: "access_as_user", sub: "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", ver: "2.0" },
    },
    user: { id: OID, roles: ["Admin", "Editor"], tenant: DIRECTORY },
  },
};

const others: Readonly<Record<string, ProviderRow>> = {
  Auth0: {
    env: {
      ...{ JWT_ISSUER: "https://acme.eu.auth0.com/", JWT_AUDIENCE: "https://api.example.com" },
      ...{ ROLES_CLAIM: "https://example.com/roles", TENANT_CLAIM: "org_id" },
    },
    header: { typ: "at+jwt" },
    claims: {
      ...{ ...times, iss: "https://acme.eu.auth0.com/", sub: "auth0|507f1f77bcf86cd799439020" },
      aud: ["https://api.example.com/", "https://acme.eu.auth0.com/userinfo"],
      ...{ azp: "my_client_id", scope: "openid profile", org_id: "org_9ybsU1dN2dKfDkBi" },
      ...{ "https://example.com/roles": ["admin"], permissions: ["read:orders"] },
    },
    user: {
      ...{ id: "auth0|507f1f77bcf86cd799439020", roles: ["admin"], tenant: "org_9ybsU1dN2dKfDkBi" },
    },
  },
  "Auth0, by scope": {
    env: {
      ...{ JWT_ISSUER: "https://acme.eu.auth0.com/", JWT_AUDIENCE: "https://api.example.com" },
      ROLES_CLAIM: "scope",
    },
    claims: {
      ...{ ...times, iss: "https://acme.eu.auth0.com/", sub: "my_client_id@clients" },
      ...{ aud: "https://api.example.com", gty: "client-credentials", scope: "read:a write:a" },
    },
    user: { id: "my_client_id@clients", roles: ["read:a", "write:a"], tenant: "default" },
  },
  Keycloak: {
    env: {
      ...{ JWT_ISSUER: "https://id.example.com/realms/acme", JWT_AUDIENCE: "account" },
      ROLES_CLAIM: "realm_access.roles",
    },
    claims: {
      ...{ ...times, auth_time: SECONDS, jti: "onrtac:4b2e", typ: "Bearer", azp: "web", sub: UUID },
      ...{ iss: "https://id.example.com/realms/acme", aud: "account", sid: "x", acr: "1" },
      ...{ "allowed-origins": ["https://app.example.com"], scope: "openid email profile" },
      realm_access: { roles: ["offline_access", "admin"] },
      resource_access: { account: { roles: ["view-profile"] }, "my.web": { roles: ["editor"] } },
      ...{ email_verified: true, preferred_username: "alice", email: "alice@example.com" },
    },
    user: { id: UUID, roles: ["offline_access", "admin"], tenant: "default" },
  },
  "Keycloak, by the roles of a client": {
    env: {
      ...{ JWT_ISSUER: "https://id.example.com/realms/acme", JWT_AUDIENCE: "my.web" },
      ...{ ROLES_CLAIM: "resource_access.my.web.roles", AUDIENCE_CLAIM: "azp" },
      USER_ID_CLAIM: "preferred_username",
    },
    claims: {
      ...{ ...times, typ: "Bearer", azp: "my.web", iss: "https://id.example.com/realms/acme" },
      resource_access: { account: { roles: ["view-profile"] }, "my.web": { roles: ["editor"] } },
      preferred_username: "alice",
    },
    user: { id: "alice", roles: ["editor"], tenant: "default" },
  },
  "Cognito's id token": {
    env: {
      JWT_ISSUER: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example",
      ...{ JWT_AUDIENCE: "1example23456789", ROLES_CLAIM: "cognito:groups" },
      TENANT_CLAIM: "custom:tenant",
    },
    claims: {
      ...{ ...times, sub: UUID, "cognito:groups": ["admins"], email_verified: true },
      iss: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example",
      ...{ "cognito:username": "alice", "custom:tenant": "acme", aud: "1example23456789" },
      ...{ event_id: "64f513be", token_use: "id", auth_time: SECONDS, jti: "aaaa-bbbb" },
    },
    user: { id: UUID, roles: ["admins"], tenant: "acme" },
  },
  "Cognito's access token": {
    env: {
      JWT_ISSUER: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example",
      ...{ JWT_AUDIENCE: "1example23456789", ROLES_CLAIM: "cognito:groups" },
      AUDIENCE_CLAIM: "client_id",
    },
    claims: {
      ...{ ...times, sub: UUID, "cognito:groups": ["admins"], username: "alice" },
      iss: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example",
      ...{ version: 2, client_id: "1example23456789", origin_jti: "aaaa", token_use: "access" },
      ...{ scope: "phone openid", auth_time: SECONDS, jti: "cccc" },
    },
    user: { id: UUID, roles: ["admins"], tenant: "default" },
  },
  Firebase: {
    env: {
      ...{ JWT_ISSUER: "https://securetoken.google.com/my-app", JWT_AUDIENCE: "my-app" },
      TENANT_CLAIM: "firebase.tenant",
    },
    claims: {
      ...{ ...times, iss: "https://securetoken.google.com/my-app", aud: "my-app" },
      ...{ auth_time: SECONDS, user_id: "ZkPn6hQ1", sub: "ZkPn6hQ1", email: "a@example.com" },
      ...{ email_verified: false, roles: ["admin"] },
      firebase: {
        identities: { email: ["a@example.com"] },
        ...{ sign_in_provider: "password", tenant: "acme-x1y2" },
      },
    },
    user: { id: "ZkPn6hQ1", roles: ["admin"], tenant: "acme-x1y2" },
  },
  Supabase: {
    env: {
      ...{ JWT_ISSUER: "https://abc.supabase.co/auth/v1", JWT_AUDIENCE: "authenticated" },
      ...{ ROLES_CLAIM: "app_metadata.roles", TENANT_CLAIM: "app_metadata.tenant" },
    },
    claims: {
      ...{ ...times, iss: "https://abc.supabase.co/auth/v1", aud: "authenticated", sub: UUID },
      ...{ email: "a@example.com", phone: "", role: "authenticated", aal: "aal1" },
      app_metadata: { provider: "email", providers: ["email"], roles: ["admin"], tenant: null },
      ...{ user_metadata: {}, amr: [{ method: "password", timestamp: SECONDS }] },
      ...{ session_id: "b4b7", is_anonymous: false },
    },
    user: { id: UUID, roles: ["admin"], tenant: "default" },
  },
  Clerk: {
    env: {
      ...{ JWT_ISSUER: "https://clerk.example.com", JWT_AUDIENCE: "https://app.example.com" },
      ...{ AUDIENCE_CLAIM: "azp", ROLES_CLAIM: "o.rol", TENANT_CLAIM: "o.id" },
    },
    claims: {
      ...{ ...times, azp: "https://app.example.com", fea: "o:dashboard", fva: [0, -1], v: 2 },
      ...{ iss: "https://clerk.example.com", jti: "0b71", nbf: SECONDS - 10, sid: "sess_2" },
      ...{ o: { id: "org_2", slg: "acme", rol: "admin", per: "manage", fpm: "3" } },
      ...{ pla: "o:free", sts: "active", sub: "user_2NNEqL2nrIRdJ194ndJqAHwEfxC" },
    },
    user: { id: "user_2NNEqL2nrIRdJ194ndJqAHwEfxC", roles: ["admin"], tenant: "org_2" },
  },
};

export const PROVIDERS = { ...microsoft, ...others };
