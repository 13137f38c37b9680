// The people and boards of `boardroom seed`: a small team that builds a payments product.

import type { Level } from '../../shared/levels.ts'
import type { Role } from '../accounts/principal.ts'

/** Where the invented people have their e-mail: a name that is reserved for examples, so no letter ever leaves. */
export const seedDomain = 'harbour.example'

export interface SeedPerson {
  name: string
  role: Role
  /** What the person does, for whoever reads the table. */
  work: string
  /** Where the person works from: documentation addresses, as the trail shows them. */
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
  /** A file of samples/. */
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
