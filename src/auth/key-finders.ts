// Which keys of a published set may verify the tokens of which `iss`.

import { createLocalJWKSet, type JSONWebKeySet, type JWK } from "jose";

type FindKey = ReturnType<typeof createLocalJWKSet>;

/** The keys for tokens of an issuer. */
export type FinderFor = (iss: unknown) => FindKey;

/**
 * Entra ID publishes keys of single directories, such as that of consumers' accounts, among those of all directories;
 * the key's `issuer` then is the `iss` of the tokens that it may sign, without a placeholder
 * (docs/design/rest-and-tokens.md#to15). Throws jose's error for what is no key set.
 */
export function keyFinders(set: JSONWebKeySet): FinderFor {
  const all = createLocalJWKSet(set);
  const owners = new Set(set.keys.map(ownerOf).filter((owner) => owner !== undefined));
  if (owners.size === 0) return () => all;
  const finder = (iss?: string) =>
    createLocalJWKSet({ ...set, keys: set.keys.filter((key) => isFor(key, iss)) });
  const [common, single] = [finder(), new Map<unknown, FindKey>()];
  for (const owner of owners) single.set(owner, finder(owner));
  return (iss) => single.get(iss) ?? common;
}

const isFor = (key: JWK, iss: string | undefined): boolean => {
  const owner = ownerOf(key);
  return owner === undefined || owner === iss;
};

/** The one directory whose tokens the key may sign. The member is Microsoft's addition to RFC 7517. */
function ownerOf({ issuer }: JWK & { readonly issuer?: unknown }): string | undefined {
  const isOne = typeof issuer === "string" && /^https:\/\/[^{}]+$/.test(issuer);
  return isOne ? issuer : undefined;
}
