// The network of a client's address, by which clients without a token are limited.

/**
 * The network of one internet subscriber: an IPv4 address itself, or the first 64 bits of an IPv6 address
 * (`2001:db8:1:2::/64`), because the subscriber can choose the other bits for each connection.
 */
export function networkOf(address: string): string {
  // `::ffff:192.0.2.1`, or `::ffff:c000:201`, is an IPv4 address at servers that have both kinds.
  if (!address.includes(":") || address.includes("."))
    return address.slice(address.lastIndexOf(":") + 1);
  const [before = "", after = ""] = address.toLowerCase().split("::");
  const [left, right] = [groupsOf(before), groupsOf(after)];
  const zeros = Array<string>(Math.max(0, GROUPS - left.length - right.length)).fill("0");
  const groups = [...left, ...zeros, ...right];
  if (MAPPED.test(groups.join(":"))) return groups.slice(-2).flatMap(bytesOf).join(".");
  return `${groups.slice(0, NETWORK_GROUPS).join(":")}::/64`;
}

/** Groups of 16 bits, without leading zeros. */
const groupsOf = (part: string): string[] =>
  part === "" ? [] : part.split(":").map((group) => group.replace(/^0+(?=.)/, ""));

/** The two decimal bytes of a group. */
function bytesOf(group: string): number[] {
  const value = Number(`0x${group}`);
  return [value >> 8, value & 255];
}

const MAPPED = /^(?:0:){5}ffff:/;
const GROUPS = 8;
const NETWORK_GROUPS = 4;

/** From a header that Cloudflare sets; undefined under `wrangler dev`, where all clients are in one network. */
export function clientNetwork({ headers }: Pick<Request, "headers">): string | undefined {
  const address = headers.get("cf-connecting-ip");
  return address === null ? undefined : networkOf(address);
}
