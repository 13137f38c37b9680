// A Kysely for a library that does not set our marker: each of its writes runs in a transaction that does, so that
// triggers recognise it. Only the write itself, so that no connection is held in between.
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  PostgresDialect,
  PostgresDriver,
  type QueryResult,
  type TransactionSettings,
} from 'kysely'

/** A setting of the transaction, such as `app.recorded`. */
export interface Mark {
  name: string
  value: string
}

/** As `PostgresDialect`; every write, and every transaction, carries `mark`. */
export class MarkingDialect extends PostgresDialect {
  readonly #config: ConstructorParameters<typeof PostgresDialect>[0]
  readonly #mark: Mark

  constructor(config: ConstructorParameters<typeof PostgresDialect>[0], mark: Mark) {
    super(config)
    this.#config = config
    this.#mark = mark
  }

  override createDriver(): Driver {
    return new MarkingDriver(this.#config, this.#mark)
  }
}

class MarkingDriver extends PostgresDriver {
  readonly #mark: Mark
  readonly #inTransaction = new WeakSet<DatabaseConnection>()

  constructor(config: ConstructorParameters<typeof PostgresDriver>[0], mark: Mark) {
    super(config)
    this.#mark = mark
  }

  override async acquireConnection(): ReturnType<PostgresDriver['acquireConnection']> {
    const connection = await super.acquireConnection() // a new one each time, because the pool's checkouts are
    const execute = connection.executeQuery.bind(connection)
    connection.executeQuery = <Row>(query: CompiledQuery): Promise<QueryResult<Row>> =>
      isWrite(query) && !this.#inTransaction.has(connection)
        ? this.#inOne(connection, () => execute<Row>(query))
        : execute<Row>(query)
    return connection
  }

  override async beginTransaction(
    connection: DatabaseConnection,
    settings: TransactionSettings,
  ): Promise<void> {
    this.#inTransaction.add(connection)
    await super.beginTransaction(connection, settings)
    const { name, value } = this.#mark
    await connection.executeQuery(CompiledQuery.raw('select set_config($1, $2, true)', [name, value]))
  }

  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    this.#inTransaction.delete(connection)
    await super.commitTransaction(connection)
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    this.#inTransaction.delete(connection)
    await super.rollbackTransaction(connection)
  }

  async #inOne<Result>(connection: DatabaseConnection, work: () => Promise<Result>): Promise<Result> {
    await this.beginTransaction(connection, {})
    try {
      const result = await work()
      await this.commitTransaction(connection)
      return result
    } catch (error) {
      // What failed is what its caller should hear of, also where the connection is gone.
      await this.rollbackTransaction(connection).catch(() => undefined)
      throw error
    }
  }
}

const isWrite = ({ query }: CompiledQuery): boolean =>
  ['InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode', 'MergeQueryNode'].includes(query.kind)
