// What server and page must agree on about comments; without zod, which the page does not load.

/** Characters. */
export const maxCommentLength = 10_000
