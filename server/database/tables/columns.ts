// Types of columns that many tables share.
import type { ColumnType } from 'kysely'

/** A timestamp that the database fills in by default. */
export type Stamp = ColumnType<Date, Date | string | undefined, Date | string>
export type Time = ColumnType<Date, Date | string, Date | string>
export type MaybeTime = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
/** bigint: read as string, written as either. */
export type Big = ColumnType<string, string | number | bigint, string | number | bigint>
export type Json = Record<string, unknown>
/** jsonb that holds a list of texts; written as JSON, because the driver makes a Postgres array of a list. */
export type JsonList = ColumnType<string[], string | undefined, string>
export type MaybeJson = ColumnType<Json | null, Json | null | undefined, never>
