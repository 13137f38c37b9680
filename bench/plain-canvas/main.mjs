// Excalidraw alone, with a drawing that is fetched: no document, no server, no other people.
import '@excalidraw/excalidraw/index.css'
import { Excalidraw } from '@excalidraw/excalidraw'
import { createElement } from 'react'
import { createRoot } from 'react-dom/client'

const elements = await (await fetch('/elements.json')).json()
createRoot(document.getElementById('root')).render(createElement(Excalidraw, { initialData: { elements } }))
