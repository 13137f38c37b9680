// What the page itself shows until there is something better. @see ../board.html, ../public/before.js

/** The drawing is there, or else what there is to say. */
export const endFirstLook = (): void => document.getElementById('first-look')?.remove()
