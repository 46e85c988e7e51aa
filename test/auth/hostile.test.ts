// [S4], with a shared secret: tokens that an attacker or a careless issuer may send. None is ever accepted.

import { header, named, raw, refuseAll, rows, text, withHeader, type Row } from "./hostile-rows.ts";
import { claims, encodePart, fixed, hmac, hs256, SECONDS, SECRET_ENV, token } from "./tokens.ts";

const NAMES = ["none", "None", "nOnE", "NONE", " none", "hs256", "HS256 ", "HS256\u0000"];
const OTHERS = ["HS384", "HS512", "HS1", "RS256", "PS256", "ES256", "ES256K", "EdDSA", "ML-DSA-44"];
const PROPERTIES = ["dir", "A128KW", "__proto__", "constructor", "toString"];

const algorithms: Row[] = [
  ...withHeader("token_algorithm", ...[...NAMES, ...OTHERS, ...PROPERTIES].map((alg) => ({ alg }))),
  ...withHeader("token_malformed", ...["", null, 0, true, ["HS256"], {}].map((alg) => ({ alg }))),
  ...withHeader("token_malformed", { alg: undefined }),
  ...rows(
    "no signature and",
    "token_algorithm",
    ["none", "None", "nOnE"],
    (alg) => () => hs256({}, { alg }, fixed()),
  ),
  ["a signature by HS512", "token_bad_signature", () => hs256({}, {}, hmac(undefined, 512))],
  [
    "a signature by HS384 that says so",
    "token_algorithm",
    () => hs256({}, { alg: "HS384" }, hmac(undefined, 384)),
  ],
];

const headers: Row[] = [
  ...withHeader(
    "token_malformed",
    { crit: [] },
    { crit: ["exp"] },
    { crit: ["__proto__"] },
    { crit: "b64" },
    { crit: null },
    { crit: ["b64"], b64: true },
    { crit: ["b64"], b64: false },
    { b64: false },
    { b64: true },
    { crit: ["http://example.com/UNDEFINED"], "http://example.com/UNDEFINED": true },
  ),
  ...withHeader(
    "token_malformed",
    ...[
      "",
      "JOSE",
      "JWE",
      "dpop+jwt",
      "secevent+jwt",
      "logout+jwt",
      "application/dpop+jwt",
      "application/application/jwt",
      "text/jwt",
      "JWT ",
      "at+jwt+x",
      1,
      null,
      ["JWT"],
    ].map((typ) => ({ typ })),
  ),
];

const ATTACKER = "the secret of an attacker, 32 bytes";
const oct = { kty: "oct", k: encodePart(ATTACKER), alg: "HS256" };
const brought = [
  { jwk: oct },
  { jwk: oct, kid: "1" },
  { jku: "https://evil.example/jwks" },
  { jku: `${SECRET_ENV.JWT_ISSUER}@evil.example/jwks` },
  { x5u: "https://evil.example/cert" },
  { x5c: ["MIIB"] },
  { jwk: null },
];
const kids = [
  "../../../../dev/null",
  "/dev/null",
  "file:///etc/passwd",
  "http://169.254.169.254/latest",
  "' OR 1=1 --",
  "x' UNION SELECT 'secret",
  "; DROP TABLE keys",
  "\u0000",
  "__proto__",
  "constructor",
  "",
];
const brings: Row[] = [...brought, ...kids.map((kid) => ({ kid }))].map((change) => [
  `an attacker's signature and ${named(change)}`,
  "token_bad_signature",
  () => hs256({}, change, hmac(ATTACKER)),
]);

const swap = (good: string, part: number, by: string): string =>
  good.split(".").with(part, by).join(".");
const flipped = (good: string): string => {
  const signature = good.split(".")[2]!;
  return swap(good, 2, (signature.startsWith("A") ? "B" : "A") + signature.slice(1));
};

const signatures: Row[] = [
  ["another secret", "token_bad_signature", () => hs256({}, {}, hmac(ATTACKER))],
  ["a secret of 32 zeros", "token_bad_signature", () => hs256({}, {}, hmac(new Uint8Array(32)))],
  ["no signature", "token_bad_signature", () => hs256({}, {}, fixed())],
  [
    "a signature of 32 zeros",
    "token_bad_signature",
    () => hs256({}, {}, fixed(...Array(32).fill(0))),
  ],
  ["a signature cut short", "token_bad_signature", async () => (await hs256()).slice(0, -4)],
  ["a signature made longer", "token_bad_signature", async () => `${await hs256()}AAAA`],
  ["a flipped bit", "token_bad_signature", async () => flipped(await hs256())],
  [
    "another payload",
    "token_bad_signature",
    async () => swap(await hs256(), 1, encodePart(claims({ sub: "root" }))),
  ],
  [
    "another header",
    "token_bad_signature",
    async () => swap(await hs256(), 0, encodePart({ alg: "HS256", typ: "JWT", x: 1 })),
  ],
  [
    "the signature of another token",
    "token_bad_signature",
    async () => swap(await hs256(), 2, (await hs256({ jti: "2" })).split(".")[2]!),
  ],
];

const forms: Row[] = [
  ["nothing", "token_missing", () => ""],
  ...rows(
    "the text",
    "token_malformed",
    [
      "a",
      ".",
      "..",
      "...",
      "a.b",
      "a.b.c.d",
      "a.b.c.d.e",
      "null",
      "{}",
      "a b.c.d",
      "é.é.é",
      "ａ.ｂ.ｃ",
    ],
    (it) => () => it,
  ),
  ["another scheme before it", "token_malformed", async () => `Bearer ${await hs256()}`],
  ["a line break after it", "token_malformed", async () => `${await hs256()}\n`],
  ["a blank before it", "token_malformed", async () => ` ${await hs256()}`],
  ["a blank in it", "token_malformed", async () => (await hs256()).replace(".", ". ")],
  ["padding", "token_malformed", async () => `${await hs256()}=`],
  ["escaped dots", "token_malformed", async () => (await hs256()).replaceAll(".", "%2E")],
  ["the alphabet of plain base64", "token_malformed", async () => `${await hs256()}+/`],
  [
    "a JSON serialisation",
    "token_malformed",
    async () => JSON.stringify({ payload: await hs256(), signatures: [] }),
  ],
  ["8,193 characters", "token_too_large", () => "a".repeat(8_193)],
  ["a kid of 100 KB", "token_too_large", () => hs256({}, { kid: "k".repeat(100_000) })],
  ["a claim of 10 MB", "token_too_large", () => hs256({ info: "i".repeat(10_000_000) })],
  ["a header that is no JSON", "token_malformed", () => raw(text(), "alg: HS256")],
  ["a header that is an array", "token_malformed", () => raw(text(), ["HS256"])],
  ["a header that is null", "token_malformed", () => raw(text(), "null")],
  [
    "a header with a byte order mark",
    "token_malformed",
    () => raw(text(), `\ufeff${JSON.stringify({ ...header, crit: [] })}`),
  ],
  ...rows(
    "the payload",
    "token_malformed",
    ["", "{", "null", "[]", '"alice"', "1", "{'sub':'alice'}", `${text()}x`],
    (it) => () => raw(it || " "),
  ),
  ["5,000 open brackets", "token_malformed", () => raw("[".repeat(5_000))],
  [
    "a payload that is no UTF-8",
    "token_malformed",
    () => token(header, new Uint8Array(40).fill(255), hmac()),
  ],
];

const twice = (member: string) => text().replace(/}$/, `,${member}}`);
const duplicates: Row[] = [
  ...rows(
    "a second member",
    "token_malformed",
    [
      '"sub":"root"',
      '"s\\u0075b":"root"',
      '"aud":"dormouse"',
      `"exp":${SECONDS + 900}`,
      '"tid":"a","tid":"b"',
      '"__proto__":1,"__proto__":{}',
    ],
    (it) => () => raw(twice(it)),
  ),
  [
    "two algorithms, the last good",
    "token_malformed",
    () => raw(text(), '{"alg":"none","alg":"HS256"}'),
  ],
  [
    "two algorithms, the first good",
    "token_algorithm",
    () => raw(text(), '{"alg":"HS256","alg":"none"}'),
  ],
  ["two kids", "token_malformed", () => raw(text(), '{"alg":"HS256","kid":"a","kid":"b"}')],
];

refuseAll({ algorithms, headers, brings, signatures, forms, duplicates });
