// Line icons, 20 by 20, in the colour of the text around them.
const paths = {
  plus: 'M10 4v12M4 10h12',
  pencil: 'M3.5 16.5l1-4L13.5 3.5l3 3-9 9zM11.5 5.5l3 3',
  search: 'M9 3.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM13 13l4 4',
  more: 'M4.5 10h.01M10 10h.01M15.5 10h.01',
  close: 'M5 5l10 10M15 5L5 15',
  copy: 'M7 7V4h9v9h-3M4 7h9v9H4z',
  people:
    'M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 16.5c0-3 2.5-5 5.5-5s5.5 2 5.5 5M13 3.8a3 3 0 0 1 0 5.4M15 11.8c1.9.7 3 2.4 3 4.7',
  link: 'M8.5 11.5l3-3M7 9l-2 2a3 3 0 0 0 4.2 4.2l2-2M13 11l2-2A3 3 0 0 0 10.8 4.8l-2 2',
  trash: 'M3.5 5.5h13M8 5V3h4v2M5 5.5l.8 11h8.4l.8-11M8.5 8.5v5M11.5 8.5v5',
  clock: 'M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM10 6v4.2l2.8 1.8',
  list: 'M7 5h10M7 10h10M7 15h10M3.5 5h.01M3.5 10h.01M3.5 15h.01',
  upload: 'M10 13V3.5M6 7l4-4 4 4M3.5 12.5v4h13v-4',
  download: 'M10 3.5V13M6 9.5l4 4 4-4M3.5 13.5v3h13v-3',
  back: 'M12 4l-6 6 6 6',
  check: 'M4 10.5l4 4 8-9',
  sun: 'M10 6.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7zM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1',
  moon: 'M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5z',
  out: 'M12 3.5h4.5v13H12M12 10H3M6 7l-3 3 3 3',
  comments: 'M3.5 4h13v9.5H10L6.5 17v-3.5h-3z',
  addComment: 'M3.5 4h13v9.5H10L6.5 17v-3.5h-3zM10 6.3v5M7.5 8.8h5',
  folder: 'M3 5.5h5l1.5 2H17v8.5H3z',
  addFolder: 'M3 5.5h5l1.5 2H17v8.5H3zM10 9.3v4.4M7.8 11.5h4.4',
  star: 'M10 3l2.1 4.5 4.9.6-3.6 3.4.9 4.9-4.3-2.4-4.3 2.4.9-4.9L3 8.1l4.9-.6z',
  hand: 'M6.5 10V5.2a1.2 1.2 0 0 1 2.4 0V9V3.8a1.2 1.2 0 0 1 2.4 0V9V4.8a1.2 1.2 0 0 1 2.4 0v6.7c0 3-1.8 5-4.6 5-2.2 0-3.3-1-4.3-3L3.3 11c-.5-1 .9-1.9 1.6-1z',
  eye: 'M2.5 10S5 5 10 5s7.5 5 7.5 5-2.5 5-7.5 5-7.5-5-7.5-5zM10 7.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4z',
  bell: 'M5 13.5V9a5 5 0 0 1 10 0v4.5l1.5 1.5h-13zM8.5 17h3',
  restore: 'M4 10a6 6 0 1 0 2-4.5M6 2.5v3.2h3.2',
} as const

export const Icon = ({ name }: { name: keyof typeof paths }) => (
  <svg className="icon" viewBox="0 0 20 20" aria-hidden="true">
    <path d={paths[name]} />
  </svg>
)

export const Mark = () => (
  <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" />
    <path d="M9 8.5h7.2c3 0 5 1.6 5 4 0 1.7-1 2.9-2.4 3.4 1.9.4 3.2 1.8 3.2 3.8 0 2.7-2.2 4.3-5.4 4.3H9zM9 16h8" />
  </svg>
)
