// Runs before anything is drawn: where Excalidraw finds its fonts, and which theme, so that dark pages do not flash.
window.EXCALIDRAW_ASSET_PATH = '/'
try {
  const wanted = localStorage.getItem('boardroom-theme')
  const isDark =
    wanted === 'dark' || (wanted !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light'
} catch {
  document.documentElement.dataset.theme = 'light' // storage is forbidden: the light one
}
