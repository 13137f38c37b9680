// Array parameters in Postgres' binary format. pg sends arrays as text, bytes in them as escaped hexadecimal: twice
// the size, and most of the time of a large insert. A Buffer it sends as it is.

/** Element types by their object id in the catalog. @see https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat */
const elementType = { bytea: 17, int8: 20, text: 25, uuid: 2950 } as const

/** For a parameter written `$1::bytea[]`. */
export const byteaArray = (values: readonly Uint8Array[]): Buffer => binaryArray(elementType.bytea, values)

/** For a parameter written `$1::text[]`. */
export const textArray = (values: readonly string[]): Buffer =>
  binaryArray(
    elementType.text,
    values.map((value) => Buffer.from(value, 'utf8')),
  )

/** For a parameter written `$1::uuid[]`. @param values in the usual form with hyphens. */
export const uuidArray = (values: readonly string[]): Buffer =>
  binaryArray(
    elementType.uuid,
    values.map((value) => Buffer.from(value.replaceAll('-', ''), 'hex')),
  )

/** For a parameter written `$1::bigint[]`. @param values whole numbers within 53 bits. */
export const bigintArray = (values: readonly number[]): Buffer =>
  binaryArray(
    elementType.int8,
    values.map((value) => {
      const bytes = Buffer.allocUnsafe(8)
      bytes.writeBigInt64BE(BigInt(value))
      return bytes
    }),
  )

const headerBytes = 20

/** Dimensions, has-nulls, element type, length, lower bound; then each element behind its length. */
function binaryArray(type: number, values: readonly Uint8Array[]): Buffer {
  const bytes = values.reduce((sum, value) => sum + 4 + value.length, headerBytes)
  const array = Buffer.allocUnsafe(bytes)
  array.writeInt32BE(values.length === 0 ? 0 : 1, 0)
  array.writeInt32BE(0, 4)
  array.writeInt32BE(type, 8)
  array.writeInt32BE(values.length, 12)
  array.writeInt32BE(1, 16)
  let at = headerBytes
  for (const value of values) {
    array.writeInt32BE(value.length, at)
    array.set(value, at + 4)
    at += 4 + value.length
  }
  return values.length === 0 ? array.subarray(0, 12) : array
}
