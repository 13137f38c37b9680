import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { deviceName } from '../../client/ui/device-name.ts'

const names = suite('the name of a device')

names('is the browser and the system, or what a program calls itself', () => {
  const chrome = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
  for (const [userAgent, name] of [
    ['Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0', 'Firefox on Linux'],
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${chrome}`, 'Chrome on Windows'],
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${chrome} Edg/140.0.0.0`, 'Edge on Windows'],
    [
      `Mozilla/5.0 (Linux; Android 16; Pixel 9) ${chrome.replace('Safari', 'Mobile Safari')}`,
      'Chrome on Android',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1',
      'Safari on iPhone',
    ],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15',
      'Safari on macOS',
    ],
    ['curl/8.14.1', 'curl/8.14.1'],
    [null, 'Unknown device'],
  ] as const)
    assert.is(deviceName(userAgent), name)
})

names.run()
