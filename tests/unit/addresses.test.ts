import type { IncomingMessage } from 'node:http'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { addressKey, addressReader } from '../../server/routing/addresses.ts'

const request = (remoteAddress: string | undefined, forwarded?: string) =>
  ({
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    socket: { remoteAddress },
  }) as Pick<IncomingMessage, 'headers' | 'socket'> // the two things that are read

const warnings: string[] = []
const log = { warn: (_: unknown, message: string) => void warnings.push(message) }
const addresses = suite('where a request comes from')

addresses.before.each(() => void warnings.splice(0))

addresses('is the peer, whatever X-Forwarded-For says, and one warning', () => {
  const read = addressReader([], log)
  assert.is(read(request('203.0.113.9', '10.1.1.1')), '203.0.113.9')
  assert.is(read(request('203.0.113.9', '10.1.1.2')), '203.0.113.9')
  assert.is(warnings.length, 1)
})

addresses('gives no warning without a header, or from a trusted proxy', () => {
  const read = addressReader(['10.0.0.0/8'], log)
  read(request('203.0.113.9'))
  read(request('10.0.0.1', '198.51.100.7'))
  assert.is(warnings.length, 0)
})

addresses('is the first from the right that is not a proxy of ours', () => {
  const read = addressReader(['10.0.0.0/8', '2001:db8:ffff::/48'], log)
  assert.is(read(request('10.0.0.1', '198.51.100.7')), '198.51.100.7')
  assert.is(
    read(request('10.0.0.1', '1.1.1.1, 198.51.100.7, 10.9.9.9')),
    '198.51.100.7',
    'the left part is a lie',
  )
  assert.is(read(request('2001:db8:ffff::2', '2001:DB8::5')), '2001:db8::5')
  assert.is(read(request('::ffff:10.0.0.1', '198.51.100.7')), '198.51.100.7', 'a dual-stack socket')
})

addresses('is the last valid hop if the header is malformed, and the outermost proxy if all are ours', () => {
  const read = addressReader(['10.0.0.0/8'], log)
  assert.is(read(request('10.0.0.1', 'unknown')), '10.0.0.1')
  assert.is(read(request('10.0.0.1', '1.1.1.1, <script>, 10.0.0.2')), '10.0.0.2')
  assert.is(read(request('10.0.0.1', '10.0.0.3')), '10.0.0.3')
  assert.is(read(request('10.0.0.1', '')), '10.0.0.1')
})

addresses('drops ports, brackets, zones and the IPv4 mapping', () => {
  const read = addressReader(['10.0.0.0/8'], log)
  assert.is(read(request('10.0.0.1', '198.51.100.7:52111')), '198.51.100.7')
  assert.is(read(request('10.0.0.1', '[2001:db8::1]:443')), '2001:db8::1')
  assert.is(read(request('::ffff:192.0.2.1')), '192.0.2.1')
  assert.is(read(request('fe80::1%eth0')), 'fe80::1')
  assert.is(read(request(undefined)), null)
})

addresses('refuses a list of anything but addresses and CIDRs', () => {
  for (const entry of ['proxy.example', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::/129', '']) {
    assert.throws(() => addressReader([entry], log), /expected an address or a CIDR/, entry)
  }
})

addresses('are counted by /64 if they are IPv6', () => {
  assert.is(addressKey('2001:db8:1:2:3:4:5:6'), addressKey('2001:db8:1:2:ffff::1'))
  assert.is.not(addressKey('2001:db8:1:2::1'), addressKey('2001:db8:1:3::1'))
  assert.is(addressKey('2001:db8::1'), '2001:db8:0:0::/64')
  assert.is(addressKey('192.0.2.1'), '192.0.2.1')
  assert.is(addressKey(null), 'unknown')
})

addresses.run()
