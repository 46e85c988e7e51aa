// How a JWT is found in texts that must have none.

/** The beginning of a header: `{"alg":`, `{"typ":` or `{"kid":`. `eyJ` alone is in random ids and signatures, too. */
export const TOKEN_TEXT = /eyJ(?:hbGciOi|0eXAiOi|raWQiOi)/;
