// What work costs, whatever else the machine does meanwhile: for bounds that hold on a busy one too.

/** Milliseconds of processor time that this process has used so far, all of its threads together. */
export const spentMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
