/** A colour in CSS syntax, and nothing that could break out of its place. */
export const isColor = (value: unknown): value is string =>
  typeof value === 'string' &&
  (/^#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i.test(value) ||
    /^[a-z]{3,30}$/i.test(value) ||
    /^(rgb|hsl)a?\([0-9.,%/ deg]{5,60}\)$/i.test(value))
