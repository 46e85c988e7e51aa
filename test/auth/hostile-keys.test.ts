// [S4], with published keys: only published keys verify, and keys are fetched from the issuer only.

import { base64url, exportSPKI, type JWK } from "jose";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  claims,
  fixed,
  hmac,
  keyServer,
  keySet,
  outcome,
  signed,
  testKey,
  token,
} from "./tokens.ts";
import type { KeyServer, Sign, TestKey } from "./tokens.ts";

interface Keys {
  readonly rsa: TestKey;
  readonly ec: TestKey;
  readonly ed: TestKey;
  /** The attacker's keys, under the issuer's `kid`s. */
  readonly evil: TestKey;
  readonly evilEc: TestKey;
}

let keys: Keys;
let server: KeyServer;

beforeAll(async () => {
  const [rsa, ec, ed, evil, evilEc] = await Promise.all([
    testKey("RS256", "rsa"),
    testKey("ES256", "ec"),
    testKey("EdDSA", "ed"),
    testKey("RS256", "rsa"),
    testKey("ES256", "ec"),
  ]);
  keys = { rsa, ec, ed, evil, evilEc } as Keys;
});

const unlabelled = ({ jwk: { alg: _, ...jwk } }: TestKey): JWK => jwk;

beforeEach(() => {
  const { rsa, ec, ed } = keys;
  server = keyServer(() => keySet(rsa, ec, ed));
});
afterEach(() => vi.unstubAllGlobals());

/** The outcome of a token. The issuer's URL is fetched at most once, and no other URL ever. */
async function judged(text: string): Promise<string> {
  const reason = await outcome(text, server.env);
  expect([[], [server.env.JWT_JWKS_URL]]).toContainEqual(server.fetched);
  return reason;
}

type Make = (keys: Keys) => Promise<string>;
type Row = readonly [name: string, reason: string, make: Make];

const spki = async ({ rsa }: Keys) => exportSPKI(rsa.publicKey);
const der = async (all: Keys) => {
  const base64 = (await spki(all)).replace(/-----[^-]+-----|\n/g, "");
  return Uint8Array.from(atob(base64), (unit) => unit.charCodeAt(0));
};
const publicTexts: [string, (all: Keys) => Promise<string | Uint8Array<ArrayBuffer>>][] = [
  ["PEM", spki],
  ["PEM without its line break", async (all) => (await spki(all)).trim()],
  ["DER", der],
  ["JWK", async ({ rsa }) => JSON.stringify(rsa.jwk)],
  ["modulus", async ({ rsa }) => rsa.jwk.n!],
  ["decoded modulus", async ({ rsa }) => Uint8Array.from(base64url.decode(rsa.jwk.n!))],
];

const confused = [256, 384, 512].flatMap((bits) =>
  publicTexts.map(([form, secret]): Row => [
    `HS${bits} with the public key's ${form} as secret`,
    "token_algorithm",
    async (all) => token({ alg: `HS${bits}`, kid: "rsa" }, claims(), hmac(await secret(all), bits)),
  ]),
);

const unsigned = ["none", "None", "nOnE", "NONE"].map((alg): Row => [
  `${alg} with a published kid`,
  "token_algorithm",
  async () => token({ alg, kid: "rsa" }, claims(), fixed()),
]);

const ATTACKED = "https://evil.example/jwks";
const brought = (
  [
    ({ evil }) => ({ jwk: evil.jwk }),
    () => ({ jku: ATTACKED }),
    () => ({ x5u: ATTACKED }),
    () => ({ x5c: ["MIIB"] }),
    () => ({ jku: ATTACKED, iss: "https://evil.example" }),
    ({ evil }) => ({ jwk: evil.jwk, jku: ATTACKED, x5u: ATTACKED }),
  ] satisfies ((all: Keys) => object)[]
).map((header, index): Row => [
  `the attacker's signature, with a key of its own (${index + 1})`,
  "token_bad_signature",
  async (all) => signed(all.evil, {}, header(all)),
]);

const KIDS: unknown[] = [
  "../../rsa",
  "rsa/../rsa",
  "' OR '1'='1",
  "RSA",
  "rsa ",
  "rsa\u0000",
  "",
  "__proto__",
  "constructor",
  "http://169.254.169.254/",
  "k".repeat(5_000),
  0,
  null,
  true,
  ["rsa"],
  { kid: "rsa" },
];
const strangeKids = KIDS.map((kid): Row => [
  `the kid ${JSON.stringify(kid).slice(0, 40)}`,
  "token_unknown_key",
  async ({ rsa }) => signed(rsa, {}, { kid }),
]);

const crossed: Row[] = [
  ["ES256 for an RSA kid", "token_unknown_key", async ({ ec }) => signed(ec, {}, { kid: "rsa" })],
  ["RS256 for an EC kid", "token_unknown_key", async ({ rsa }) => signed(rsa, {}, { kid: "ec" })],
  [
    "PS256 where the key is for RS256",
    "token_unknown_key",
    async ({ rsa }) => signed(rsa, {}, { alg: "PS256" }),
  ],
  [
    "RS512 where the key is for RS256",
    "token_unknown_key",
    async ({ rsa }) => signed(rsa, {}, { alg: "RS512" }),
  ],
  [
    "ES384 for a key on P-256",
    "token_unknown_key",
    async ({ ec }) => signed(ec, {}, { alg: "ES384" }),
  ],
  ["ES256K", "token_algorithm", async ({ ec }) => signed(ec, {}, { alg: "ES256K" })],
  ["ML-DSA-44", "token_algorithm", async ({ rsa }) => signed(rsa, {}, { alg: "ML-DSA-44" })],
  ["RSA1_5", "token_algorithm", async ({ rsa }) => signed(rsa, {}, { alg: "RSA1_5" })],
];

const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const order = Array.from({ length: 32 }, (_, at) => Number((N >> BigInt(248 - 8 * at)) & 255n));
const zeros = Array<number>(32).fill(0);
const one = [...zeros.slice(1), 1];
const DER_ZEROS = [0x30, 6, 2, 1, 0, 2, 1, 0];

const points: [string, number[]][] = [
  ["0 and 0", [...zeros, ...zeros]],
  ["0 and 1", [...zeros, ...one]],
  ["1 and 0", [...one, ...zeros]],
  ["1 and 1", [...one, ...one]],
  ["n and n", [...order, ...order]],
  ["n and 0", [...order, ...zeros]],
  ["0 and n", [...zeros, ...order]],
  ["nothing", []],
  ["one byte", [0]],
  ["63 zeros", [...zeros, ...zeros].slice(1)],
  ["65 zeros", [...zeros, ...zeros, 0]],
  ["0 and 0 in DER", DER_ZEROS],
];
const forged = points.flatMap(([form, bytes]): Row[] => [
  [`an ES256 signature of ${form}`, "token_bad_signature", ({ ec }) => forge(ec, fixed(...bytes))],
  [`an EdDSA signature of ${form}`, "token_bad_signature", ({ ed }) => forge(ed, fixed(...bytes))],
]);
const forge = ({ alg, jwk }: TestKey, sign: Sign) => token({ alg, kid: jwk.kid }, claims(), sign);

const impostors: Row[] = [
  ["another RSA key with the same kid", "token_bad_signature", ({ evil }) => signed(evil)],
  ["another EC key with the same kid", "token_bad_signature", ({ evilEc }) => signed(evilEc)],
  ["crit", "token_malformed", ({ rsa }) => signed(rsa, {}, { crit: ["exp"] })],
  ["b64", "token_malformed", ({ rsa }) => signed(rsa, {}, { crit: ["b64"], b64: false })],
  ["typ dpop+jwt", "token_malformed", ({ rsa }) => signed(rsa, {}, { typ: "dpop+jwt" })],
  [
    "another issuer",
    "token_wrong_issuer",
    ({ rsa }) => signed(rsa, { iss: "https://evil.example" }),
  ],
  ["another audience", "token_wrong_audience", ({ rsa }) => signed(rsa, { aud: "other" })],
  ["no subject", "token_no_subject", ({ rsa }) => signed(rsa, { sub: undefined })],
];

const TABLES = { confused, unsigned, brought, strangeKids, crossed, forged, impostors };

describe.each(Object.entries(TABLES))("[S4] published keys, %s", (_, table) => {
  it.each(table)("refuses %s with %s", async (_name, reason, make) => {
    expect(await judged(await make(keys))).toBe(reason);
  });
});

describe("[S4] what is published", () => {
  /** A key set with one changed key, and a token signed with its private key. */
  const trial = async (key: TestKey, jwk: JWK, header: object = {}, nowhere?: Sign) => {
    server = keyServer(() => keySet(jwk));
    const text = nowhere ? await forge(key, nowhere) : await signed(key, {}, header);
    return outcome(text, server.env);
  };

  it.each<[string, (all: Keys) => JWK]>([
    ["for encryption", ({ rsa }) => ({ ...rsa.jwk, use: "enc" })],
    ["for other operations", ({ rsa }) => ({ ...rsa.jwk, key_ops: ["encrypt"] })],
    ["for signing only", ({ rsa }) => ({ ...rsa.jwk, key_ops: ["sign"] })],
    ["for another algorithm", ({ rsa }) => ({ ...rsa.jwk, alg: "PS256" })],
    ["for HS256", ({ rsa }) => ({ ...rsa.jwk, alg: "HS256" })],
    ["of no type", ({ rsa }) => ({ n: rsa.jwk.n!, e: rsa.jwk.e!, kid: "rsa" }) as unknown as JWK],
    ["of a type with a tail", ({ rsa }) => ({ ...rsa.jwk, kty: "RSA2" })],
    ["without a modulus", () => ({ kty: "RSA", kid: "rsa", e: "AQAB" })],
    ["of 512 bits", ({ rsa }) => ({ ...rsa.jwk, n: rsa.jwk.n!.slice(0, 86) })],
    ["with a private half", ({ rsa }) => ({ ...rsa.jwk, d: rsa.jwk.n! })],
  ])("never verifies with a key %s", async (_, jwk) => {
    expect(await trial(keys.rsa, jwk(keys))).toBe("token_unknown_key");
  });

  it("accepts a key that names no algorithm for those of its type, and never as a secret", async () => {
    const jwk = unlabelled(keys.rsa);
    expect(await trial(keys.rsa, jwk)).toBe("accepted");
    const empty = await token({ alg: "HS256", kid: "rsa" }, claims(), hmac(new Uint8Array(32)));
    expect(await outcome(empty, server.env)).toBe("token_algorithm");
  });

  it("never verifies with a published secret", async () => {
    const secret = { kty: "oct", kid: "rsa", k: base64url.encode("s".repeat(32)) };
    server = keyServer(() => keySet(secret as JWK));
    const text = await token({ alg: "HS256", kid: "rsa" }, claims(), hmac("s".repeat(32)));
    expect(await judged(text)).toBe("token_algorithm");
  });

  it("refuses a token without kid where several keys fit", async () => {
    server = keyServer(() => keySet(keys.rsa, { ...keys.evil.jwk, kid: "other" }));
    expect(await judged(await signed(keys.rsa, {}, { kid: undefined }))).toBe("token_unknown_key");
  });

  it("refuses a kid that two keys have", async () => {
    server = keyServer(() => keySet(keys.rsa, keys.evil));
    expect(await judged(await signed(keys.rsa))).toBe("token_unknown_key");
  });
});

describe("[S4] two tenants whose keys have the same kid", () => {
  it("accepts at each only what its own key signed, however they alternate", async () => {
    const first = keyServer(() => keySet(keys.rsa));
    expect(await outcome(await signed(keys.rsa), first.env)).toBe("accepted");
    const second = keyServer(() => keySet(keys.evil));
    expect(await outcome(await signed(keys.evil), second.env)).toBe("accepted");
    expect(await outcome(await signed(keys.evil), first.env)).toBe("token_bad_signature");
    expect(await outcome(await signed(keys.rsa), second.env)).toBe("token_bad_signature");
  });

  it("keeps them apart after more configurations than are remembered", async () => {
    const [first, second] = [keyServer(() => keySet(keys.rsa)), keyServer(() => keySet(keys.evil))];
    for (let others = 0; others < 100; others++) {
      await outcome("", { ...first.env, JWT_AUDIENCE: `${others}` });
      expect(await outcome(await signed(keys.evil), first.env)).toBe("token_bad_signature");
      expect(await outcome(await signed(keys.rsa), second.env)).toBe("token_bad_signature");
    }
    expect(await outcome(await signed(keys.rsa), first.env)).toBe("accepted");
  });

  it("keeps issuers that share a URL apart by the issuer", async () => {
    const shared = keyServer(() => keySet(keys.rsa));
    const other = { ...shared.env, JWT_ISSUER: "https://other.example" };
    expect(await outcome(await signed(keys.rsa), shared.env)).toBe("accepted");
    expect(await outcome(await signed(keys.rsa), other)).toBe("token_wrong_issuer");
    const theirs = await signed(keys.rsa, { iss: "https://other.example" });
    expect(await outcome(theirs, shared.env)).toBe("token_wrong_issuer");
  });
});

it.each(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"])(
  "accepts %s by a published key",
  async (alg) => {
    const key = await testKey(alg, "it");
    server = keyServer(() => keySet(key));
    expect(await outcome(await signed(key), server.env)).toBe("accepted");
  },
);
