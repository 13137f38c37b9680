// Reads files that people choose: refused by size before anything is read, otherwise read in a worker.
import { type Answers, mostBytes } from './drawing-in-file.ts'
import { fileTexts as texts } from './texts/files.ts'

/** Why a file was refused; the message is for people. */
export class ImportProblem extends Error {}

export interface Asked {
  file: File
  use: keyof Answers
  /** If it is to be added to an open board. */
  mostElements: number
}

type Taken<Use extends keyof Answers> = Exclude<Answers[Use], { name: 'refused' }>

/** @throws ImportProblem */
export const readFile = async <Use extends keyof Answers>(
  file: File,
  use: Use,
  mostElements = 0,
): Promise<Taken<Use>> => {
  const refuse = (why: string) => new ImportProblem(texts.notImported(file.name, why))
  if (file.size > mostBytes) throw refuse(texts.tooLarge(mostBytes))
  const worker = new Worker(new URL('./drawing-worker.ts', import.meta.url), { type: 'module' })
  try {
    const content = await new Promise<Answers[Use]>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Answers[Use]>) => resolve(data)
      worker.onerror = () => reject(refuse(texts.tooMuch))
      worker.onmessageerror = () => reject(refuse(texts.tooMuch))
      worker.postMessage({ file, use, mostElements } satisfies Asked)
    })
    if (content.name === 'refused') throw refuse(content.why)
    return content as Taken<Use> // refusals were handled above
  } finally {
    worker.terminate()
  }
}
