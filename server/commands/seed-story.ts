// The people and boards of `boardroom seed`: a small team building a payments product.

import type { Level } from '../../shared/levels.ts'
import type { Role } from '../principal.ts'

/** The e-mail domain of the fictional people: it is reserved for examples, so no mail ever gets out. */
export const seedDomain = 'harbour.example'

export interface SeedPerson {
  name: string
  role: Role
  /** The person's job, for the printed table. */
  work: string
  /** The person's IP address in the trail: one reserved for documentation. */
  address: string
}

export const people = {
  mara: { name: 'Mara Lindqvist', role: 'sysadmin', work: 'runs the server', address: '198.51.100.11' },
  deniz: { name: 'Deniz Aydın', role: 'admin', work: 'office and accounts', address: '198.51.100.12' },
  tom: { name: 'Tom Okafor', role: 'user', work: 'architecture', address: '198.51.100.21' },
  priya: { name: 'Priya Raman', role: 'user', work: 'product', address: '203.0.113.7' },
  lena: { name: 'Lena Fischer', role: 'user', work: 'research', address: '203.0.113.31' },
  jonas: { name: 'Jonas Weber', role: 'user', work: 'backend', address: '198.51.100.22' },
  aiko: { name: 'Aiko Tanaka', role: 'user', work: 'design', address: '203.0.113.90' },
  sam: { name: 'Sam Rivera', role: 'user', work: 'sales', address: '192.0.2.44' },
  noor: { name: 'Noor Haddad', role: 'admin', work: 'left the company', address: '192.0.2.71' },
} as const satisfies Record<string, SeedPerson>
export type PersonKey = keyof typeof people

export const emailOf = (person: PersonKey): string => `${person}@${seedDomain}`

export interface SeedBoard {
  title: string
  owner: PersonKey
  /** A file in samples/. */
  drawing: string | null
  permissions: Partial<Record<PersonKey, Level>>
}

export const boards = {
  architecture: {
    title: 'Payments: hexagonal architecture',
    owner: 'tom',
    drawing: 'hexagonal-architecture',
    permissions: { priya: 'comment', jonas: 'edit', aiko: 'edit', sam: 'view' },
  },
  journey: {
    title: 'Customer journey',
    owner: 'priya',
    drawing: 'customer-journey-map',
    permissions: { lena: 'edit', aiko: 'edit', sam: 'comment' },
  },
  charts: {
    title: 'Charts for the quarterly review',
    owner: 'lena',
    drawing: 'data-viz',
    permissions: { priya: 'edit' },
  },
  launch: {
    title: 'Launch presentation',
    owner: 'aiko',
    drawing: 'presentation-bundle',
    permissions: { sam: 'edit', priya: 'comment' },
  },
  roadmap: { title: 'Roadmap of last year', owner: 'sam', drawing: null, permissions: { jonas: 'view' } },
} as const satisfies Record<string, SeedBoard>
export type BoardKey = keyof typeof boards

/** Notes that people write on a board by hand. */
export interface SeedNote {
  board: BoardKey
  by: PersonKey
  text: string
  x: number
  y: number
}

export const notes: readonly SeedNote[] = [
  { board: 'architecture', by: 'jonas', text: 'Refunds go through this port too', x: 1310, y: -60 },
  { board: 'architecture', by: 'aiko', text: 'Same colours as the design system, please', x: 20, y: -60 },
  { board: 'journey', by: 'lena', text: 'Six interviews so far, two to come', x: 820, y: -60 },
]

export interface SeedThread {
  board: BoardKey
  anchor: { x: number; y: number; element_id?: string }
  comments: readonly [readonly [PersonKey, string], ...(readonly [PersonKey, string])[]]
  resolvedBy?: PersonKey
}

export const threads: readonly SeedThread[] = [
  {
    board: 'architecture',
    anchor: { x: 619, y: 611, element_id: '7Qd40zmyVzl1jNu315XLU' },
    comments: [
      ['priya', 'Is this where the bank connects, or is that another adapter?'],
      ['tom', 'This one. The bank is behind the same port as the card provider.'],
      ['priya', 'Good, then the launch does not wait for it.'],
    ],
    resolvedBy: 'priya',
  },
  {
    board: 'architecture',
    anchor: { x: 2624, y: 95, element_id: 'SQhRoPXDcFPUflYRMiXbq' },
    comments: [
      ['jonas', 'The test double keeps everything in memory. Enough for the nightly run?'],
      ['tom', 'For now. Say so next to it, so that nobody measures anything with it.'],
    ],
  },
  {
    board: 'journey',
    anchor: { x: 9, y: 6, element_id: 'faTSLGvwSpATyHxTY90Jl' },
    comments: [
      ['lena', 'Two people said that they gave up at the second step. Which name do we give that?'],
      ['sam', 'Customers call it «the form». So should we.'],
    ],
  },
  {
    board: 'launch',
    anchor: { x: 965, y: 146 },
    comments: [['priya', 'Who presents? The slide still has a placeholder.']],
  },
]
