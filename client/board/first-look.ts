// The page's static content, shown until there is something better. @see ../board.html, ../public/before.js

/** The drawing is shown, or the message that replaces it. */
export const endFirstLook = (): void => document.getElementById('first-look')?.remove()
