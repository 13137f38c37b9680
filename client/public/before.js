// Runs before anything is drawn: where Excalidraw finds its fonts, which theme, so that dark pages do not flash, and on
// a board its picture of the list of boards, for the time until the editor has the drawing: half a minute on a slow line.
window.EXCALIDRAW_ASSET_PATH = '/'
try {
  const wanted = localStorage.getItem('boardroom-theme')
  const isDark =
    wanted === 'dark' || (wanted !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light'
} catch {
  document.documentElement.dataset.theme = 'light' // storage is forbidden: the light one
}

const boardOf = /^\/b\/([0-9a-f-]{36})\/?$/i.exec(location.pathname)
// Whoever comes by a link is let in first.
if (boardOf !== null && !/[#&]k=/.test(location.hash)) {
  const picture = new Image()
  picture.alt = ''
  picture.fetchPriority = 'high' // a hundredth of what else is asked for
  picture.onload = () => document.getElementById('first-look')?.append(picture)
  picture.src = `/api/boards/${boardOf[1]}/thumbnail`
}
