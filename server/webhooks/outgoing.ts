// Sends a POST to a URL that somebody entered. It reaches no private network unless the operator allows it: the check
// applies to the resolved address that is actually connected to, so that DNS cannot change in between. Redirects are
// not followed, and the response must arrive in time.
import { lookup as resolve } from 'node:dns'
import { request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { networkTest, normalAddress } from '../routing/addresses.ts'
import type { Outcome } from './queries.ts'

export interface OutgoingOptions {
  /** Private networks that may be reached, as addresses and CIDRs. */
  privateNetworks: readonly string[]
  timeoutMs: number
}

export interface Outgoing {
  /** Never throws; the outcome contains any error. */
  post(
    url: string,
    headers: Record<string, string>,
    body: string,
  ): Promise<Outcome & { retryAfterS?: number }>
  /** Why a URL can never be reached, for the person who enters it; null if that depends on its name. */
  refusalOf(url: string): string | null
}

const mostAnswerCharacters = 1000

/** @throws BoardroomError invalid_config if it is not a network */
export function createOutgoing({ privateNetworks, timeoutMs }: OutgoingOptions): Outgoing {
  const isAllowed = networkTest(privateNetworks, 'BOARDROOM_WEBHOOK_PRIVATE_NETWORKS')
  const mayReach = (address: string): boolean => {
    const normal = normalAddress(address)
    return normal !== null && (isPublic(normal) || isAllowed(normal))
  }
  const refusal = (host: string) =>
    `${host} is in a private network; the operator can allow it (BOARDROOM_WEBHOOK_PRIVATE_NETWORKS)`

  const lookup: LookupFunction = (hostname, options, answer) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return answer(error, '', 0)
      const [first, ...rest] = found.filter(({ address }) => mayReach(address))
      if (first === undefined) return answer(new Error(refusal(hostname)), '', 0)
      if (options.all === true) answer(null, [first, ...rest])
      else answer(null, first.address, first.family)
    })
  }

  return {
    refusalOf(url) {
      const host = hostOf(url)
      if (isIP(host) !== 0) return mayReach(host) ? null : refusal(host)
      const isLocal = host === 'localhost' || host.endsWith('.localhost')
      return isLocal && !['127.0.0.1', '::1'].some(mayReach) ? refusal(host) : null
    },
    post: (url, headers, body) =>
      new Promise((done) => {
        const failed = (error: string) => done({ status: null, error: error.slice(0, 300), answer: null })
        const host = hostOf(url)
        // An IP address needs no lookup, so it is checked here.
        if (isIP(host) !== 0 && !mayReach(host)) return failed(refusal(host))
        const options: RequestOptions = {
          method: 'POST',
          agent: false,
          lookup,
          headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        }
        const send = url.startsWith('https:') ? httpsRequest : httpRequest
        const asked = send(url, options, (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => {
            text += chunk
            if (text.length > mostAnswerCharacters) response.destroy()
          })
          response.on('error', () => undefined) // 'close' follows, with what has been received
          response.on('close', () => {
            clearTimeout(timer)
            const status = response.statusCode ?? 0
            // A long response may be cut off here and still counts; one that broke off does not.
            if (!response.complete && text.length <= mostAnswerCharacters)
              return failed(`responded with ${status}, but the response broke off`)
            const retryAfter = Number(response.headers['retry-after'])
            done({
              status,
              error: errorOf(status),
              answer: storable(text.slice(0, mostAnswerCharacters)),
              ...(retryAfter > 0 ? { retryAfterS: retryAfter } : {}),
            })
          })
        })
        let hasAnswered = false
        const end = (error: string) => {
          clearTimeout(timer)
          failed(error)
        }
        const timer = setTimeout(() => {
          end(`no complete response within ${timeoutMs / 1000} s`)
          asked.destroy()
        }, timeoutMs)
        asked.on('response', () => {
          hasAnswered = true
        })
        // Without a listener, Node silently drops the connection.
        asked.on('upgrade', (response, socket) => {
          socket.destroy()
          end(`responded with ${response.statusCode ?? 101}: no upgrade was requested`)
        })
        asked.on('error', (error) => end(error.message))
        asked.on('close', () => {
          if (!hasAnswered) end('the connection ended without a response')
        })
        asked.end(body)
      }),
  }
}

function errorOf(status: number): string | null {
  if (status >= 200 && status < 300) return null
  if (status >= 300 && status < 400) return `responded with ${status}: redirects are not followed`
  return `responded with ${status}`
}

const storable = (text: string): string => text.toWellFormed().replaceAll('\u0000', '')

const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')

/** Networks that are not public, from the registries of special-purpose addresses (RFC 6890 and later). */
const special = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  special.addSubnet(network, prefix, 'ipv4')
// In IPv6 only global unicast (2000::/3) is public, except Teredo, documentation, benchmarking and 6to4, which can embed any IPv4 address.
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  special.addSubnet(network, prefix, 'ipv6')
const globalUnicast = new BlockList()
globalUnicast.addSubnet('2000::', 3, 'ipv6')

/** @param address normalised: a mapped IPv4 address is given as IPv4. */
export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !special.check(address, 'ipv4')
  return globalUnicast.check(address, 'ipv6') && !special.check(address, 'ipv6')
}
