// For `node --import`: the clock of this process is off by CLOCK_OFF_MS, as on a machine with a wrong clock.
const offMs = Number(process.env.CLOCK_OFF_MS ?? 0)
const Real = globalThis.Date

class Shifted extends Real {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(Real.now() + offMs)
    else super(...(given as [number])) // whatever Date takes
  }

  static override now(): number {
    return Real.now() + offMs
  }
}
globalThis.Date = Shifted as DateConstructor // we call it only with `new`
