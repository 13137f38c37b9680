// Consent, templates, records and the user's own data over HTTP.
import type { ConsentCreate, ConsentResponse } from '../shared/api/consent.ts'
import type { ExportProgress } from '../shared/api/privacy.ts'
import type {
  BoardRecordResponse,
  RecordResponse,
  TemplateComparison,
  TemplateFromBoard,
  TemplateListQuery,
  TemplateSummary,
  TemplateVersionCreate,
} from '../shared/api/templates.ts'
import { ask, done, json, type Page, query } from './api.ts'

export const getConsent = (boardId: string | null) =>
  json<ConsentResponse>('GET', `/consent${query({ board_id: boardId ?? undefined })}`)
export const giveConsent = (body: ConsentCreate) => done('POST', '/consent', { body })
export const withdrawConsent = (boardId: string | null) =>
  done('DELETE', `/consent${query({ board_id: boardId ?? undefined })}`)

export const listTemplates = (asked: { scope: TemplateListQuery['scope']; code?: string; cursor?: string }) =>
  json<Page<TemplateSummary>>('GET', `/templates${query({ ...asked, limit: 100 })}`)
export const approveTemplate = (id: string, notes: string) =>
  done('POST', `/templates/${id}/approve`, { body: notes.trim() === '' ? {} : { notes: notes.trim() } })
export const removeTemplate = (id: string) => done('DELETE', `/templates/${id}`)
export const compareTemplate = (id: string) => json<TemplateComparison>('GET', `/templates/${id}/compare`)

export const listRecords = (asked: { template?: string; q?: string; cursor?: string }) =>
  json<Page<RecordResponse>>('GET', `/records${query({ ...asked, limit: 100 })}`)
export const recordsExportPath = (template: string, q: string) =>
  `/api/records/export${query({ template, q, format: 'csv' })}`
export const getRecord = (boardId: string) => json<BoardRecordResponse>('GET', `/boards/${boardId}/record`)
export const changeRecord = (
  boardId: string,
  body: { variables: Record<string, unknown>; updated_at: string },
) => json<BoardRecordResponse>('PATCH', `/boards/${boardId}/record`, { body })

/** A file, and the progress while the server collects it. */
export const getMyExport = async (format: 'json' | 'html'): Promise<Blob> =>
  (await ask('GET', `/me/export${query({ format })}`)).blob()
export const getExportProgress = () => json<ExportProgress>('GET', '/me/export/progress')

export const saveAsTemplate = (boardId: string, body: TemplateFromBoard) =>
  done('POST', `/boards/${boardId}/template`, { body })
export const sendVersion = (templateId: string, body: TemplateVersionCreate) =>
  done('POST', `/templates/${templateId}/versions`, { body })

export const eraseMe = (confirm: string) => done('POST', '/me/erase', { body: { confirm } })
