// What the fictional people say about the boards, over HTTP, each as themselves.
import type { PersonKey, SeedThread } from './seed-story.ts'
import type { Visitor } from './seed-visitors.ts'

/** Writes one thread; the people who wrote in it, and the one who resolved it, have read it. */
export async function discuss(
  board: string,
  { anchor, comments, resolvedBy }: SeedThread,
  as: (person: PersonKey) => Visitor,
): Promise<void> {
  const [[opener, body], ...answers] = comments
  const { id } = await as(opener).ask('POST', `${board}/threads`, { anchor, body })
  for (const [person, answer] of answers)
    await as(person).ask('POST', `${board}/threads/${id}/comments`, { body: answer })
  const speakers = new Set(comments.map(([person]) => person))
  for (const person of speakers) await as(person).ask('POST', `${board}/threads/${id}/read`)
  if (resolvedBy !== undefined)
    await as(resolvedBy).ask('PATCH', `${board}/threads/${id}`, { resolved: true })
}
