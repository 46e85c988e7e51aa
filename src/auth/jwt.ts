// Verifies tokens of the configured issuers and reads their users.

import type { User } from "../model/user.ts";
import { withFacts } from "../model/refusal-facts.ts";
import { claimAt } from "./claim-names.ts";
import { userOf } from "./claims.ts";
import type { AuthConfig } from "./auth-config.ts";
import { countMembers } from "./duplicate-members.ts";
import { issuerOf, type Issuer } from "./issuers.ts";
import {
  checkAudience,
  LEEWAY_SECONDS,
  payloadOf,
  registeredClaims,
  type WrittenClaims,
} from "./registered-claims.ts";
import { checkForm, verifySignature } from "./signature.ts";
import { Refusal } from "./auth-refusal.ts";

/**
 * The user of a token. Throws a `Refusal`, with the first reason in this order: form, algorithm, header, key, signature,
 * duplicate members, issuer, audience, times, other claims. Where there are several issuers, the one that the token
 * names comes after the form: it selects the keys, so that those of one issuer never verify tokens of another.
 */
export async function verify(token: string, config: AuthConfig, nowMs: number): Promise<User> {
  checkForm(token);
  const written = payloadOf(token);
  const named = issuerOf(written, config.issuers);
  const issuer = named ?? onlyOf(config.issuers, written);
  const { keys } = issuer;
  const find = (header: Parameters<typeof keys.find>[0]) =>
    keys.find(header, { nowMs, iss: written["iss"] });
  const header = await verifySignature(token, { algorithms: keys.algorithms, find });
  checkMembers(token, [header, written]);
  if (!named) throw wrongIssuer(config.issuers, written);
  checkAudience(claimAt(written, issuer.audienceClaim), issuer);
  return userOf(registeredClaims(written, nowMs), issuer, LEEWAY_SECONDS);
}

/** The issuer whose keys judge a token that names none of the issuers, which is refused in any case. */
function onlyOf(issuers: readonly Issuer[], written: WrittenClaims): Issuer {
  const [only, ...others] = issuers;
  if (!only || others.length > 0) throw wrongIssuer(issuers, written);
  return only;
}

const wrongIssuer = (issuers: readonly Issuer[], { iss }: WrittenClaims): Refusal =>
  withFacts(new Refusal("token_wrong_issuer", { claim: "iss" }), () => ({
    expected: issuers.map(({ issuer }) => issuer),
    received: iss,
  }));

/** RFC 7519 §4: readers differ on which of two equal names counts, so a token with such is refused. */
function checkMembers(token: string, parsed: readonly [header: object, payload: WrittenClaims]) {
  const parts = token.split(".", 2);
  const isUnique = (part: string, at: number) =>
    countMembers(decode(part)) === Object.keys(parsed[at]!).length;
  if (!parts.every(isUnique)) throw new Refusal("token_malformed");
}

/** One character per byte. JSON's structure is ASCII, so decoding UTF-8 would only cost time. */
const decode = (part: string): string => atob(part.replaceAll("-", "+").replaceAll("_", "/"));
