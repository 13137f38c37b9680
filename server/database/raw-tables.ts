// Kysely's withSchema qualifies the tables of built queries and leaves `sql.table` in raw ones as it is. Such a query
// finds its tables only where the role happens to have the schema's name, and with it the search path.
import {
  type KyselyPlugin,
  OperationNodeTransformer,
  type PluginTransformQueryArgs,
  type QueryId,
  type RawNode,
  type RootOperationNode,
  TableNode,
} from 'kysely'

/** Qualifies every `sql.table(name)` inside raw SQL, also where raw SQL is part of a built query. */
export function qualifyRawTables(schema: string): KyselyPlugin {
  const transformer = new RawTables(schema)
  return {
    transformQuery: ({ node, queryId }: PluginTransformQueryArgs): RootOperationNode =>
      transformer.transformNode(node, queryId),
    transformResult: async ({ result }) => result,
  }
}

class RawTables extends OperationNodeTransformer {
  readonly #schema: string

  constructor(schema: string) {
    super()
    this.#schema = schema
  }

  /** Only a table that is named in the raw SQL itself; `sql.ref('b.id')` names an alias, and is another kind of node. */
  protected override transformRaw(node: RawNode, queryId?: QueryId): RawNode {
    const raw = super.transformRaw(node, queryId)
    const parameters = raw.parameters.map((parameter) =>
      TableNode.is(parameter) && parameter.table.schema === undefined
        ? TableNode.createWithSchema(this.#schema, parameter.table.identifier.name)
        : parameter,
    )
    return { ...raw, parameters }
  }
}
