// Latency histogram with fixed 0.1 ms buckets up to two minutes.
const BUCKET_MS = 0.1
const BUCKETS = 1_200_000

export class Histogram {
  constructor() {
    this.counts = new Uint32Array(BUCKETS)
    this.total = 0
    this.max = 0
  }

  add(ms, times = 1) {
    const bucket = (ms / BUCKET_MS) | 0
    this.counts[bucket < BUCKETS ? bucket : BUCKETS - 1] += times
    this.total += times
    if (ms > this.max) this.max = ms
  }

  reset() {
    this.counts.fill(0)
    this.total = 0
    this.max = 0
  }

  /** Upper edge of the bucket that holds quantile q, in ms. */
  quantile(q) {
    if (this.total === 0) return null
    let left = Math.ceil(this.total * q)
    for (let i = 0; i < BUCKETS; i++) {
      left -= this.counts[i]
      if (left <= 0) return Math.round((i + 1) * BUCKET_MS * 10) / 10
    }
    return this.max
  }

  summary() {
    return {
      count: this.total,
      p50: this.quantile(0.5),
      p99: this.quantile(0.99),
      max: Math.round(this.max * 10) / 10,
    }
  }
}
