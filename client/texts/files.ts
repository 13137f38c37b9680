// Messages about imported files: read, refused, or partly imported.
import { counted, numberOf, sizeOf } from './format.ts'

export const reportTexts = {
  title: (taken: number, all: number) =>
    taken === all ? 'Something was left out' : `${taken} of ${all} files were imported`,
  close: 'Close',
}

/** Reasons continue a sentence after "it …". */
export const fileTexts = {
  notImported: (file: string, why: string) => `${file} was not imported: ${why}.`,
  leftOut: (file: string, what: string) => `${file}: ${what}`,
  tooMuch: 'this device could not read it: it may be too large for it',
  unreadable: 'it cannot be read; it may be a folder, or may have been moved',
  tooLarge: (most: number) =>
    `it is larger than ${sizeOf(most)}, and no drawing may be; make its images smaller, or cut the drawing in parts`,
  tooLargeForBoard: (most: number | null) =>
    most === null
      ? 'the drawing is too large for one board'
      : `the drawing is too large for one board; the limit is ${sizeOf(most)}`,
  tooMany: (most: number) =>
    `it has more than ${numberOf(most)} elements, too many to add to an open board; import it on the page of all boards`,
  damagedInside: 'it is damaged: the drawing inside cannot be read',
  brokenImage: 'it is a damaged image, or one that your browser cannot show',
  imageTooLarge: (most: number | null) =>
    most === null
      ? 'an image in it is too large'
      : `an image in it is too large; the limit is ${sizeOf(most)}`,
  pasted: 'What you pasted',
  viewer: 'You can only view this board, so nothing can be added to it.',
  reading: (file: string) => `Reading ${file}`,
  uploading: (image: number, images: number) => `Uploading image ${numberOf(image)} of ${numberOf(images)}`,
  saving: (elements: number) => counted(elements, { one: 'Saving # element', other: 'Saving # elements' }),
}
