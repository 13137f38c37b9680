// Kysely's withSchema qualifies the tables of built queries but not `sql.table` in raw SQL. Such a query would find its
// tables only if the role happens to have the name of the schema, and so the right search path.
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

  /** Only tables named in the raw SQL itself; `sql.ref('b.id')` names an alias, which is another kind of node. */
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
