// Reads CPU time and memory of a process and all of its descendants from /proc (Linux only).
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'

const read = (file) => {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
const tasks = (pid) => {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/** The process and its living descendants. */
export function tree(pid) {
  const children = tasks(pid).flatMap((task) =>
    read(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean),
  )
  return [pid, ...children.flatMap((child) => tree(Number(child)))]
}

/**
 * CPU seconds (user and system) of all threads that a process and its descendants ever had. When threads end, such as
 * those of a database's backends, their count disappears: so the last known value of each is kept.
 */
export class CpuMeter {
  #pid
  #seen = new Map() // thread id -> nanoseconds
  #timer

  constructor(pid) {
    this.#pid = pid
    this.#timer = setInterval(() => this.#look(), 250)
    this.#timer.unref()
  }

  seconds() {
    this.#look()
    let nanoseconds = 0
    for (const each of this.#seen.values()) nanoseconds += each
    return nanoseconds / 1e9
  }

  stop() {
    clearInterval(this.#timer)
  }

  #look() {
    for (const pid of tree(this.#pid)) {
      for (const task of tasks(pid)) {
        const nanoseconds = Number(read(`/proc/${pid}/task/${task}/schedstat`).split(' ')[0])
        if (nanoseconds > (this.#seen.get(task) ?? 0)) this.#seen.set(task, nanoseconds)
      }
    }
  }
}

/** Proportional set size: pages that processes share are counted once. */
export function pssMiB(pids) {
  return pids.reduce(
    (sum, pid) => sum + Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1024,
    0,
  )
}

/** The disk space used by the files of a folder. */
export function folderMiB(folder, isCounted) {
  let entries = []
  try {
    entries = readdirSync(folder, { withFileTypes: true })
  } catch {} // gone meanwhile
  return entries.reduce((sum, entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return sum + folderMiB(path, isCounted)
    if (!entry.isFile() || !isCounted(path)) return sum
    return sum + (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) / 2048
  }, 0)
}

/** Open files and sockets. */
export const handles = (pids) =>
  pids.reduce((sum, pid) => {
    try {
      return sum + readdirSync(`/proc/${pid}/fd`).length
    } catch {
      return sum
    }
  }, 0)

function statusMiB(pids, field) {
  const pattern = new RegExp(`${field}:\\s+(\\d+)`)
  return pids.reduce(
    (sum, pid) => sum + Number(pattern.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024,
    0,
  )
}

/** Current memory, and the peak of each process. */
export const rssMiB = (pids) => statusMiB(pids, 'VmRSS')
export const peakMiB = (pids) => statusMiB(pids, 'VmHWM')

/**
 * Whether the process is a Node with a handler for SIGUSR2, which would otherwise kill it. For a Postgres process the
 * signal has other meanings: it stops the checkpointer, and with it every connection.
 */
export function catchesUsr2(pid) {
  if (!programOf(pid).endsWith('/node')) return false
  const mask = /SigCgt:\s+([0-9a-f]+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? '0'
  return (BigInt(`0x${mask}`) & (1n << 11n)) !== 0n
}

function programOf(pid) {
  try {
    return readlinkSync(`/proc/${pid}/exe`)
  } catch {
    return ''
  }
}

export const isAlive = (pid) => /State:\s+[^ZX]/.test(read(`/proc/${pid}/status`))

/** Seconds for which the machine's cores were busy since boot. */
export function busySeconds() {
  const [user, nice, system, , , irq, softirq] = read('/proc/stat')
    .split('\n')[0]
    .split(/\s+/)
    .slice(1)
    .map((ticks) => Number(ticks) / 100)
  return user + nice + system + irq + softirq
}
