// Elements that a custom client may write into a document: malformed, contradictory, or intended to make everybody
// else's canvas misbehave. None is large.

const geo = { x: 40, y: 40, width: 50, height: 50, angle: 0 }
const line = {
  ...geo,
  points: [
    [0, 0],
    [50, 50],
  ],
}

/** By id, as stored in the document: own keys, geometry under `geo`. */
export const hostileElements = (): Record<string, Record<string, unknown>> => ({
  'no-type': { geo },
  'no-place': { type: 'rectangle' },
  'foreign-type': { type: 'hologram', geo },
  'geo-is-text': { type: 'rectangle', geo: 'here' },
  'geo-is-list': { type: 'rectangle', geo: [1, 2, 3] },
  'far-away': { type: 'rectangle', geo: { ...geo, x: 2e6 } },
  'beyond-the-limit': { type: 'rectangle', geo: { ...geo, x: 1e6 + 1 } },
  'just-within': { type: 'rectangle', geo: { ...geo, x: -9e5 } },
  'text-without-text': { type: 'text', geo, text: null, fontSize: 'huge' },
  'text-in-itself': { type: 'text', geo, text: 'me', containerId: 'text-in-itself', fontFamily: 99 },
  'text-of-nothing': { type: 'text', geo, text: 'lost', containerId: 'nobody', lineHeight: -1 },
  'text-long': { type: 'text', geo, text: 'a'.repeat(2_000), fontSize: 20 },
  'line-without-points': { type: 'line', geo, points: 'none' },
  'line-of-nothing': { type: 'line', geo: { ...geo, points: [] } },
  'line-of-words': { type: 'line', geo: { ...geo, points: [['a', 'b']] } },
  'arrow-to-itself': {
    type: 'arrow',
    geo: { ...line, startBinding: { elementId: 'arrow-to-itself', focus: 0, gap: 1 }, endBinding: 'x' },
    index: '***',
  },
  'arrow-to-nobody': {
    type: 'arrow',
    geo: { ...line, endBinding: { elementId: 'nobody', focus: 2e6, gap: -1 } },
  },
  'arrow-elbowed-wrongly': {
    type: 'arrow',
    elbowed: true,
    geo: { ...line, fixedSegments: [{ start: [0, 0], end: [1, 1], index: 7 }], startIsSpecial: true },
  },
  'arrow-with-odd-head': { type: 'arrow', geo: line, endArrowhead: 'hydra', startArrowhead: '' },
  'stroke-of-one': { type: 'freedraw', geo: { ...geo, points: [[0, 0]], pressures: [1, 2, 3] } },
  'frame-in-itself': {
    type: 'frame',
    geo,
    frameId: 'frame-in-itself',
    boundElements: [1, 2],
    groupIds: null,
  },
  'frame-a': { type: 'frame', geo, frameId: 'frame-b' },
  'frame-b': { type: 'frame', geo, frameId: 'frame-a' },
  'bound-to-itself': {
    type: 'rectangle',
    geo,
    boundElements: [
      { id: 'bound-to-itself', type: 'text' },
      { id: 'nobody', type: 'arrow' },
    ],
  },
  'odd-colours': {
    type: 'rectangle',
    geo,
    strokeColor: 'url(x)',
    backgroundColor: '',
    fillStyle: 'mist',
    strokeStyle: '?',
  },
  'odd-numbers': {
    type: 'diamond',
    geo,
    strokeWidth: -3,
    roughness: 101,
    opacity: -50,
    seed: 'x',
    roundness: { type: 9 },
  },
  'same-place-1': { type: 'rectangle', geo, index: 'a1' },
  'same-place-2': { type: 'rectangle', geo, index: 'a1' },
  'image-elsewhere': {
    type: 'image',
    geo,
    fileId: 'https://elsewhere.example/a.png',
    status: 'saved',
    scale: 3,
  },
  'image-cut-away': {
    type: 'image',
    geo,
    fileId: '0'.repeat(63),
    scale: [0, 0],
    crop: { x: 0, y: 0, width: 0, height: 0, naturalWidth: 0, naturalHeight: 0 },
  },
  'page-elsewhere': { type: 'embeddable', geo, link: 'https://elsewhere.example/' },
  'page-of-script': { type: 'embeddable', geo, link: 'javascript:alert(1)' },
  'page-within': {
    type: 'iframe',
    geo,
    customData: { generationData: { status: 'done', html: '<form action="https://elsewhere.example">' } },
  },
  'link-of-script': { type: 'rectangle', geo, link: 'javascript:alert(1)' },
  'names-of-methods': { type: 'rectangle', geo, constructor: 'x', toString: 1 },
})
