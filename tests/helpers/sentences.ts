// Several sentences about one world that is slow to make, said one after the other; the one that fails is named.
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
