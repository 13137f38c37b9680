// COPY over a pg connection: transfers bytes unchanged. An ordinary query returns bytea as hexadecimal text, twice the
// size, which the main thread must decode; and parameters cannot be streamed.
import type { ClientBase, Connection, Submittable } from 'pg'

/** COPY may take longer than any query; a caller that copies much sets `statement_timeout` as well. */
const noTimeout = 2 ** 31 - 1

/** The connection that pg passes to a Submittable; these methods are missing from its types. */
interface CopyConnection extends Connection {
  query(text: string): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
  sendCopyFail(message: string): void
}

/** One COPY as pg drives it. `callback` is its slot: the client wraps it where a query time-out is set. */
class Copy implements Submittable {
  readonly query_timeout: number | undefined
  callback: (error?: Error | null) => void
  #rows = 0
  readonly #sql: string
  readonly #onData: (chunk: Buffer, connection: CopyConnection) => void
  readonly #onReady: (connection: CopyConnection) => void

  constructor(
    sql: string,
    handlers: {
      timeoutMs?: number
      data?: (chunk: Buffer, connection: CopyConnection) => void
      ready?: (connection: CopyConnection) => void
      settled: (error: Error | null, rows: number) => void
    },
  ) {
    this.#sql = sql
    this.query_timeout = handlers.timeoutMs
    this.#onData = handlers.data ?? (() => {})
    this.#onReady = handlers.ready ?? ((connection) => connection.sendCopyFail('nothing to copy in'))
    this.callback = (error) => handlers.settled(error ?? null, this.#rows)
  }

  submit(connection: Connection): void {
    ;(connection as CopyConnection).query(this.#sql)
  }
  handleCopyData(message: { chunk: Buffer }, connection: Connection): void {
    this.#onData(message.chunk, connection as CopyConnection)
  }
  handleCopyInResponse(connection: Connection): void {
    this.#onReady(connection as CopyConnection)
  }
  handleCommandComplete(message: { text: string }): void {
    this.#rows = Number(/(\d+)$/.exec(message.text)?.[1] ?? 0)
  }
  handleReadyForQuery(): void {
    this.callback()
  }
  handleError(error: Error): void {
    this.callback(error)
  }
  // Called by pg; a COPY has no rows and no portal.
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
}

/**
 * `COPY (query) TO STDOUT (FORMAT binary)` into memory, for results of bounded size.
 * @param query without parameters: the caller has escaped every value in it.
 * @returns one array per row, values in Postgres' binary format; the caller owns the buffers.
 */
export function copyRows(client: ClientBase, query: string): Promise<(Buffer | null)[][]> {
  return new Promise((resolve, reject) => {
    const rows = new CopiedRows()
    let failure: Error | null = null
    const copy = new Copy(`copy (${query}) to stdout (format binary)`, {
      data: (chunk) => {
        try {
          rows.add(chunk)
        } catch (error) {
          failure ??= error instanceof Error ? error : new Error(String(error))
        }
      },
      settled: (error) => {
        const problem = error ?? failure
        if (problem === null) resolve(rows.rows)
        else reject(problem)
      },
    })
    client.query(copy)
  })
}

const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const headerBytes = signature.length + 8
const endOfData = -1

/** Parses the binary COPY format. Postgres sends one row per message; rows split differently are reassembled. */
class CopiedRows {
  readonly rows: (Buffer | null)[][] = []
  #rest: Buffer = Buffer.alloc(0)
  #hasHeader = false

  add(chunk: Buffer): void {
    // A copy, because the chunk is a slice of the connection's buffer, which is reused.
    const bytes = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk])
    let at = 0
    if (!this.#hasHeader) {
      if (bytes.length < headerBytes) {
        this.#rest = bytes
        return
      }
      if (!bytes.subarray(0, signature.length).equals(signature))
        throw new Error('not the binary COPY format')
      at = headerBytes + bytes.readInt32BE(headerBytes - 4)
      this.#hasHeader = true
    }
    for (;;) {
      const end = this.#readRow(bytes, at)
      if (end === null) break
      at = end
    }
    this.#rest = bytes.subarray(at)
  }

  /** @returns where the row ends; null if it is incomplete, or no row follows. */
  #readRow(bytes: Buffer, start: number): number | null {
    if (start + 2 > bytes.length) return null
    const columns = bytes.readInt16BE(start)
    if (columns === endOfData) return null
    const row: (Buffer | null)[] = []
    let at = start + 2
    for (let column = 0; column < columns; column++) {
      if (at + 4 > bytes.length) return null
      const length = bytes.readInt32BE(at)
      at += 4
      if (length === -1) {
        row.push(null)
        continue
      }
      if (at + length > bytes.length) return null
      row.push(bytes.subarray(at, at + length))
      at += length
    }
    this.rows.push(row)
    return at
  }
}

/** How many bytes are buffered for a slow consumer before the database is paused. */
const mostWaitingBytes = 4 * 1024 * 1024

/**
 * A COPY … TO STDOUT as a stream of chunks with backpressure.
 * @param onRows called with the number of rows at the end.
 */
export async function* copyOut(
  client: ClientBase,
  sql: string,
  onRows: (rows: number) => void,
): AsyncGenerator<Buffer> {
  const waiting: Buffer[] = []
  let waitingBytes = 0
  let outcome: { error: Error | null; rows: number } | null = null
  let paused: CopyConnection | null = null
  let wake = () => {}
  const copy = new Copy(sql, {
    timeoutMs: noTimeout,
    data: (chunk, connection) => {
      waiting.push(Buffer.from(chunk))
      waitingBytes += chunk.length
      if (waitingBytes > mostWaitingBytes && paused === null) {
        paused = connection
        connection.stream.pause()
      }
      wake()
    },
    settled: (error, rows) => {
      outcome = { error, rows }
      wake()
    },
  })
  client.query(copy)
  for (;;) {
    if (waiting.length > 0) {
      const chunk = Buffer.concat(waiting.splice(0))
      waitingBytes = 0
      yield chunk
      continue
    }
    // Assigned in callbacks, which the compiler does not follow.
    const settled = outcome as { error: Error | null; rows: number } | null
    if (settled !== null) {
      if (settled.error !== null) throw settled.error
      onRows(settled.rows)
      return
    }
    const stopped = paused as CopyConnection | null
    paused = null
    stopped?.stream.resume()
    await new Promise<void>((resolve) => {
      wake = resolve
    })
    wake = () => {}
  }
}

/**
 * A COPY … FROM STDIN fed from `chunks` with backpressure.
 * @returns how many rows were inserted. If `chunks` throws, the COPY fails with that error.
 */
export function copyIn(client: ClientBase, sql: string, chunks: AsyncIterable<Buffer>): Promise<number> {
  return new Promise((resolve, reject) => {
    let sourceError: unknown = null
    let isSettled = false
    const feed = async (connection: CopyConnection): Promise<void> => {
      try {
        for await (const chunk of chunks) {
          if (isSettled) return
          connection.sendCopyFromChunk(chunk)
          if (connection.stream.writableNeedDrain) await drained(connection)
        }
        connection.endCopyFrom()
      } catch (error) {
        sourceError = error
        connection.sendCopyFail('the source failed')
      }
    }
    const copy = new Copy(sql, {
      timeoutMs: noTimeout,
      ready: (connection) => void feed(connection), // catches everything itself
      settled: (error, rows) => {
        isSettled = true
        if (error === null) resolve(rows)
        else reject(sourceError ?? error)
      },
    })
    client.query(copy)
  })
}

const drained = (connection: CopyConnection): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      connection.stream.off('drain', done)
      connection.stream.off('close', done)
      resolve()
    }
    connection.stream.on('drain', done)
    connection.stream.on('close', done)
  })
