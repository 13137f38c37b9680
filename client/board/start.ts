// Where the page of a board begins (board.html): first the drawing is asked for, then what shows it. The page names
// both in its head, so that they come at the same time.
import { openEarly } from './opening.ts'

openEarly()
void import('../main.tsx')
void import('../pages/board.tsx')
