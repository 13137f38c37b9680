// Requests to the API of a Boardroom, from a browser or Node. Every failure is an ApiError with the server's code,
// even if there is no server.
import type { ErrorResponse } from '../api.ts'

/** `code` is the server's, or `unreachable`. The message can be shown to people. */
export class ApiError extends Error {
  readonly code: string
  readonly status: number
  readonly details: Record<string, unknown> | undefined

  constructor(code: string, message: string, status: number, details?: Record<string, unknown>) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.status = status
    this.details = details
  }
}

export interface Page<Item> {
  items: Item[]
  next_cursor: string | null
}

export interface Ask {
  /** Sent as JSON, except for blobs and bytes. */
  body?: Blob | Uint8Array<ArrayBuffer> | object | undefined
  type?: string | undefined
  accept?: string | undefined
  signal?: AbortSignal | undefined
  query?: Record<string, string | number | boolean | null | undefined> | undefined
}

export interface HttpOptions {
  /** The base of `/api`: an origin, or empty for the page's own. */
  url: string
  /** The `Authorization` header of a request about a board, or about none. @param isAgain the last one was refused */
  authorization?(boardId: string | null, isAgain: boolean): Promise<string | null> | string | null
  /** Whether cookies are sent; `omit` by default. */
  credentials?(): 'omit' | 'same-origin' | 'include'
  fetch?: typeof fetch
}

export interface Http {
  /** @throws ApiError */
  ask(method: string, path: string, options?: Ask): Promise<Response>
  /** The server guarantees the shape of its answers: it checks them with the same schemas. @throws ApiError */
  json<Answer>(method: string, path: string, options?: Ask): Promise<Answer>
  /** @throws ApiError */
  done(method: string, path: string, options?: Ask): Promise<void>
}

export function createHttp({
  url,
  authorization,
  credentials = () => 'omit',
  fetch: send = (...given) => globalThis.fetch(...given),
}: HttpOptions): Http {
  const root = `${url.replace(/\/+$/, '')}/api`

  const once = async (method: string, path: string, asked: Ask, proof: string | null): Promise<Response> => {
    const { body, type, accept, signal } = asked
    const isRaw = body instanceof Blob || body instanceof Uint8Array
    const headers: Record<string, string> = {}
    if (body !== undefined) headers['content-type'] = type ?? 'application/json'
    if (accept !== undefined) headers.accept = accept
    if (proof !== null) headers.authorization = proof
    try {
      return await send(`${root}${path}${queryOf(asked.query)}`, {
        method,
        headers,
        credentials: credentials(),
        ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      })
    } catch (error) {
      if (error instanceof Error && error.name === 'AbortError') throw error
      throw new ApiError(
        'unreachable',
        'The server cannot be reached. Check the connection and try again.',
        0,
      )
    }
  }

  const ask: Http['ask'] = async (method, path, asked = {}) => {
    const proofNow = async (isAgain: boolean) => (await authorization?.(boardOf(path), isAgain)) ?? null
    const proof = await proofNow(false)
    let response = await once(method, path, asked, proof)
    // The credential may have expired meanwhile: retry once if there is another.
    const other = response.status === 401 && proof !== null ? await proofNow(true) : proof
    if (other !== proof) response = await once(method, path, asked, other)
    if (response.ok) return response
    throw await errorOf(response)
  }

  return {
    ask,
    json: async <Answer>(method: string, path: string, asked?: Ask) =>
      (await ask(method, path, asked)).json() as Promise<Answer>,
    async done(method, path, asked) {
      await ask(method, path, asked)
    },
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as ErrorResponse // the one shape of errors
    const message = error.message.charAt(0).toUpperCase() + error.message.slice(1)
    return new ApiError(
      error.code,
      /[.!?]$/.test(message) ? message : `${message}.`,
      response.status,
      error.details,
    )
  } catch {
    return new ApiError(
      'internal',
      `The server answered ${response.status}. Try again in a moment.`,
      response.status,
    )
  }
}

const boardOf = (path: string): string | null => /^\/boards\/([^/?]+)/.exec(path)?.[1] ?? null

export const queryOf = (fields: Ask['query'] = {}): string => {
  const params = new URLSearchParams()
  for (const [key, value] of Object.entries(fields))
    if (value !== undefined && value !== null && value !== '') params.set(key, String(value))
  const text = params.toString()
  return text === '' ? '' : `?${text}`
}
