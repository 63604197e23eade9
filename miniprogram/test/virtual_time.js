'use strict'

/** Hours in milliseconds: every timer of the process waits on a clock that the test moves. */

const settle = () => new Promise((resolve) => { setImmediate(resolve) })

/**
 * From now to the end of the test. `run(promise)` moves the clock from timer to timer until the promise is settled;
 * `pass(ms)` moves it by so much; `now()` is in milliseconds, as Date.now.
 */
function virtualTime(t, start = Date.parse('2026-11-25T08:00:00Z')) {
  let time = start
  let lastId = 0
  const timers = new Map()
  // Not by t.mock, which would keep every timer that there was, and its buffers.
  const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout }
  t.after(() => Object.assign(globalThis, real))
  Object.assign(globalThis, {
    setTimeout(run, wait = 0, ...values) {
      lastId += 1
      timers.set(lastId, { at: time + Math.max(Number(wait) || 0, 0), run: () => run(...values) })
      return lastId
    },
    clearTimeout(id) { timers.delete(id) },
  })

  function earliest() {
    let found = null
    for (const [id, { at }] of timers) if (!found || at < found.at) found = { id, at }
    return found
  }

  async function step(end) {
    await settle()
    const next = earliest()
    if (!next || next.at > end) return false
    const { run } = timers.get(next.id)
    timers.delete(next.id)
    time = Math.max(time, next.at)
    run()
    return true
  }

  async function pass(milliseconds) {
    const end = time + milliseconds
    while (await step(end));
    time = end
  }

  async function run(promise, most = 7 * 86400000) {
    let settled = false
    const done = () => { settled = true }
    promise.then(done, done)
    const end = time + most
    for (await settle(); !settled; await settle()) {
      if (!await step(end)) throw new Error(timers.size ? 'not settled in time' : 'nothing is left that could settle it')
    }
    return promise
  }

  return { now: () => time, run, pass, waiting: () => timers.size }
}

module.exports = { virtualTime }
