// Where a request comes from: the peer's address or, behind proxies that the operator has named, the address that the
// outermost of them saw. X-Forwarded-For from anybody else is ignored.
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { BoardroomError } from '../errors.ts'

/** How many hops are read: more than any real chain has, and few enough that a long header costs nothing. */
const mostHops = 20

/** The client's address; null if there is none (a Unix socket without a proxy). */
export type AddressReader = (request: Pick<IncomingMessage, 'headers' | 'socket'>) => string | null

/**
 * @param trustedProxies addresses and CIDRs whose `X-Forwarded-For` is trusted.
 * @param log warns once when the header arrives from an untrusted peer.
 * @throws BoardroomError invalid_config for anything else.
 */
export function addressReader(
  trustedProxies: readonly string[],
  log: { warn(fields: object, message: string): void },
): AddressReader {
  const isTrusted = networkTest(trustedProxies)
  let warned = false

  return (request) => {
    const peer = normalAddress(request.socket.remoteAddress ?? '')
    const forwarded = request.headers['x-forwarded-for']
    if (forwarded === undefined || peer === null) return peer
    if (!isTrusted(peer)) {
      if (!warned)
        log.warn({ peer }, 'X-Forwarded-For ignored: set BOARDROOM_TRUSTED_PROXIES if this is your proxy')
      warned = true
      return peer
    }
    // Every proxy appends the address it saw, so the header is read from the right, up to the first untrusted address.
    const hops = (Array.isArray(forwarded) ? forwarded.join(',') : forwarded)
      .split(',')
      .slice(-mostHops)
      .reverse()
    let nearest = peer
    for (const hop of hops) {
      const address = normalAddress(hop.trim())
      if (address === null) return nearest
      nearest = address
      if (!isTrusted(address)) return address
    }
    return nearest
  }
}

/** Whether a normalised address is in one of `networks` (addresses and CIDRs). @throws BoardroomError invalid_config */
export function networkTest(
  networks: readonly string[],
  setting = 'BOARDROOM_TRUSTED_PROXIES',
): (address: string) => boolean {
  const list = blockListOf(networks, setting)
  return (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** Whether the address is this machine's loopback. */
export const loopback: readonly string[] = ['127.0.0.0/8', '::1']

/** The key that limits count by: an IPv4 address, or the /64 of an IPv6 one, which is what one customer is assigned. */
export function addressKey(address: string | null): string {
  if (address === null) return 'unknown'
  if (isIP(address) !== 6) return address
  return `${expand(address).slice(0, 4).join(':')}::/64`
}

/** `::ffff:192.0.2.1` -> `192.0.2.1`, `[2001:db8::1]:443` -> `2001:db8::1`; null if it is not an address. */
export function normalAddress(value: string): string | null {
  const bare = value
    .replace(/^\[([^\]]*)\](:\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .replace(/%.*$/, '')
  const version = isIP(bare)
  if (version === 0) return null
  if (version === 4) return bare
  const groups = expand(bare)
  const isMapped = groups.slice(0, 5).every((group) => group === '0') && groups[5] === 'ffff'
  if (!isMapped) return bare.toLowerCase()
  const [high, low] = [Number.parseInt(groups[6] ?? '0', 16), Number.parseInt(groups[7] ?? '0', 16)]
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** The eight groups of a valid IPv6 address, lower case, without leading zeros. */
function expand(address: string): string[] {
  // The URL parser knows every notation, including the dotted tail.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right]
}

function blockListOf(networks: readonly string[], setting: string): BlockList {
  const list = new BlockList()
  for (const entry of networks) {
    const [address = '', bits, ...rest] = entry.split('/')
    const version = isIP(address)
    const longest = version === 6 ? 128 : 32
    const prefix = bits === undefined ? longest : Number(bits)
    if (
      version === 0 ||
      rest.length > 0 ||
      bits === '' ||
      !Number.isInteger(prefix) ||
      prefix < 0 ||
      prefix > longest
    ) {
      throw new BoardroomError(
        'invalid_config',
        `${setting}: expected an address or a CIDR like 10.0.0.0/8, got ${entry}`,
      )
    }
    list.addSubnet(address, prefix, version === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}
