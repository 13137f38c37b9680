// Several sentences about one state that is slow to set up, tested one after the other; the failing one is named.
export type Sentences<World> = readonly (readonly [sentence: string, work: (world: World) => Promise<void>])[]

export const say =
  <World>(sentences: Sentences<World>) =>
  async (world: World): Promise<void> => {
    for (const [sentence, work] of sentences) {
      await work(world).catch((error: unknown) => {
        if (error instanceof Error) error.message = `${sentence}: ${error.message}`
        throw error
      })
    }
  }
