// What server and page must agree on about a comment; without zod, which the page does not load.

/** Characters. */
export const maxCommentLength = 10_000
