// Files that are passed on to Excalidraw, as if they were dropped.

export interface Place {
  clientX: number
  clientY: number
}

const passedOn = new WeakSet<Event>()

/** This drop was made by us. */
export const isPassedOn = (event: Event): boolean => passedOn.has(event)

export const passOn = (file: File, { clientX, clientY }: Place, target: Element): void => {
  const dataTransfer = new DataTransfer()
  dataTransfer.items.add(file)
  const drop = new DragEvent('drop', { bubbles: true, cancelable: true, clientX, clientY, dataTransfer })
  passedOn.add(drop)
  target.dispatchEvent(drop)
}
