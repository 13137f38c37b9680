// Saves a file for the user.

/** Characters that file systems refuse in names, and path separators. */
const forbidden = /[\\/:*?"<>|\p{Cc}]+/gu

export const fileName = (title: string, extension: string): string =>
  `${title.replace(forbidden, ' ').trim() || 'board'}.${extension}`

export const download = (content: Blob, name: string): void => {
  const url = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

export const saveFile = (content: Blob, title: string, extension: string): void =>
  download(content, fileName(title, extension))
