// The templates and approvals of `boardroom seed`, boards created from them with their records, and consents.
import type { PersonKey } from './seed-story.ts'
import type { Visitor } from './seed-visitors.ts'

const text = (id: string, y: number, words: string, fontSize = 20) => ({
  ...{ id, type: 'text', x: 40, y, width: words.length * fontSize * 0.56, height: fontSize * 1.25 },
  ...{ text: words, originalText: words, fontSize, fontFamily: 5, lineHeight: 1.25 },
  ...{ textAlign: 'left', verticalAlign: 'top', containerId: null, autoResize: true },
})
const box = (id: string, y: number, height: number, backgroundColor: string) => ({
  ...{ id, type: 'rectangle', x: 0, y, width: 640, height },
  ...{ backgroundColor, fillStyle: 'solid', strokeColor: '#1e1e1e', roundness: { type: 3 } },
})

const intakeTemplate = {
  code: 'CLIENT_INTAKE',
  name: 'Client intake',
  description: 'The first talk with a client.',
  category: 'Clients',
  board_types: ['client_intake'],
  variables_schema: {
    type: 'object',
    properties: {
      name: { type: 'string', title: 'Name', minLength: 2, maxLength: 100 },
      cpf: { type: 'string', title: 'CPF', format: 'cpf' },
      birth_date: {
        ...{ type: 'string', title: 'Birth date', format: 'date' },
        ...{ formatMinimum: '1900-01-01', notAfter: 'today' },
      },
    },
    required: ['name', 'cpf', 'birth_date'],
  },
  content: {
    type: 'excalidraw',
    elements: [
      box('head', 0, 120, '#e7f5ff'),
      text('title', 24, '{{name}}', 36),
      text('born', 80, 'born {{birth_date}} · CPF {{cpf}}'),
      box('talk', 150, 300, '#ffffff'),
      text('talk-title', 170, 'What the client told us'),
    ],
  },
}

const propertyTemplate = {
  code: 'PROPERTY',
  name: 'Property',
  description: 'One property: whose it is, and how it stands.',
  category: 'Properties',
  board_types: ['property'],
  is_required: true,
  variables_schema: {
    type: 'object',
    properties: {
      owner: { type: 'string', title: 'Owner', minLength: 2, maxLength: 100 },
      address: { type: 'string', title: 'Address', maxLength: 200 },
      status: {
        type: 'string',
        title: 'Status',
        enum: ['available', 'reserved', 'sold'],
        default: 'available',
      },
    },
    required: ['owner'],
  },
  content: {
    type: 'excalidraw',
    elements: [
      box('head', 0, 150, '#ebfbee'),
      text('title', 24, '{{address}}', 28),
      text('owner', 70, 'Owner: {{owner}}'),
      text('status', 105, 'Status: {{status}}'),
    ],
  },
}

const consentText = {
  text: 'This board shows work on a launch that is not public. Keep what you see to yourself, and know that visits are recorded.',
  consent_version: '2026-11',
  privacy_policy_version: '3',
  required_categories: ['confidentiality'],
  optional_categories: ['interviews'],
}

type As = (person: PersonKey) => Visitor

/** Submitted by Lena and Sam, approved by Mara; boards created from them; and another version that awaits approval. */
export async function fillTemplates(as: As): Promise<void> {
  const intake = await as('lena').ask('POST', '/api/templates', intakeTemplate)
  const property = await as('sam').ask('POST', '/api/templates', propertyTemplate)
  await as('mara').ask('POST', `/api/templates/${intake.id}/approve`, { notes: 'As agreed with legal.' })
  await as('mara').ask('POST', `/api/templates/${property.id}/approve`, {})
  const clients = [
    { name: 'Helena Prado', cpf: '529.982.247-25', birth_date: '1984-05-17' },
    { name: 'Caio Mendes', cpf: '111.444.777-35', birth_date: '1991-11-02' },
  ]
  for (const variables of clients)
    await as('lena').ask('POST', '/api/boards', {
      ...{ title: `Intake: ${variables.name}`, template_id: intake.id, variables },
    })
  const house = await as('sam').ask('POST', '/api/boards', {
    title: 'Harbour Street 12',
    template_id: property.id,
    variables: { owner: 'Harbour Trust', address: 'Harbour Street 12' },
  })
  await as('sam').ask('PATCH', `/api/boards/${house.id}/record`, { variables: { status: 'reserved' } })
  await as('lena').ask('POST', `/api/templates/${intake.id}/versions`, {
    description: 'With a place for the next steps.',
    content: {
      ...intakeTemplate.content,
      elements: [...intakeTemplate.content.elements, text('next', 480, 'Next steps for {{name}}')],
    },
  })
}

/** A board that requires consent: its owner and two others accept, and one of them withdraws it. */
export async function askForConsent(as: As, boardId: string): Promise<void> {
  await as('aiko').ask('PUT', `/api/boards/${boardId}/consent-text`, consentText)
  const { consent_version, privacy_policy_version } = consentText
  const accept = { consent_version, privacy_policy_version, board_id: boardId }
  await as('aiko').ask('POST', '/api/consent', {
    ...accept,
    consent_categories: ['confidentiality', 'interviews'],
  })
  await as('mara').ask('POST', '/api/consent', { ...accept, consent_categories: ['confidentiality'] })
  await as('deniz').ask('POST', '/api/consent', { ...accept, consent_categories: ['confidentiality'] })
  await as('deniz').ask('DELETE', `/api/consent?board_id=${boardId}`)
}
