/**
 * One upload that is held, as far as this page knows: { id, name, src, steps, state, past, … }.
 *
 * `steps` are the states of its way when all goes well, `past` those that it has been in.
 */

const OVER = ['published', 'rejected', 'gone', 'failed']
let made = 0

export function newItem(/** @type {any} */ file, src, { name: profile, hold }) {
  made += 1
  const steps = hold.includes('check') ? ['held', 'checking', 'published'] : ['held', 'published']
  return { id: made, name: file.name, file, src, profile, steps, state: 'sending', past: /** @type {string[]} */ ([]), isBusy: true }
}

export function become(item, state) {
  if (!state || state === item.state) return
  if (!item.past.includes(item.state)) item.past.push(item.state)
  item.state = state
}

export const isOver = ({ state }) => OVER.includes(state)

/** Whether its bytes are in the bucket. */
export const isStored = ({ state }) => ['held', 'checking', 'review', 'published'].includes(state)

/** The states before the one it is in, and those that may come. */
export function wayOf({ steps, state, past }) {
  const before = past.filter((each) => each !== 'sending' && each !== state)
  const after = OVER.includes(state) ? [] : steps.filter((each) => each !== state && !past.includes(each))
  return { before, after }
}
