// The network of a client's address, by which clients without a token are limited.

/**
 * The network that one subscriber has: an IPv4 address itself, or the first 64 bits of an IPv6 address, whose others
 * the subscriber may choose for each connection. `2001:db8:1:2::/64`.
 */
export function networkOf(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [before = "", after = ""] = address.toLowerCase().split("::");
  const [left, right] = [groupsOf(before), groupsOf(after)];
  const zeros = Array<string>(Math.max(0, GROUPS - left.length - right.length)).fill("0");
  return `${[...left, ...zeros, ...right].slice(0, NETWORK_GROUPS).join(":")}::/64`;
}

/** Groups of 16 bits, without leading zeros. */
const groupsOf = (part: string): string[] =>
  part === "" ? [] : part.split(":").map((group) => group.replace(/^0+(?=.)/, ""));

const GROUPS = 8;
const NETWORK_GROUPS = 4;

/** Set by Cloudflare; undefined under `wrangler dev`, where all clients are of one network. */
export function clientNetwork({ headers }: Pick<Request, "headers">): string | undefined {
  const address = headers.get("cf-connecting-ip");
  return address === null ? undefined : networkOf(address);
}
