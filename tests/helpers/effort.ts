// The CPU cost of work, whatever else the machine does meanwhile: for limits that hold on a busy machine too.

/** Milliseconds of CPU time that this process has used so far, over all of its threads. */
export const spentMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
