import { OssUploadError, functionError } from './errors.mjs'
import { ask, persist, request } from './calls.mjs'
import { confirm } from './after.mjs'

const MOST_RECEIPTS = 20 // of one /status

/** What became of uploads; what is wrong with one receipt of several is told of that one alone. */
async function status(client, receipts, inWords) {
  const list = [].concat(receipts)
  const asked = []
  for (let from = 0; from < list.length; from += MOST_RECEIPTS) {
    asked.push(askFor(list.slice(from, from + MOST_RECEIPTS), client))
  }
  const found = [].concat(...await Promise.all(asked))
  found.forEach(({ error }) => error && inWords(error))
  if (Array.isArray(receipts)) return found
  if (found[0].error) throw found[0].error
  return found[0]
}

async function askFor(receipts, client) {
  try {
    const { results } = await persist(client, () => request(client, '/status', { receipts }))
    return receipts.map((_, index) => readStanding(Object(Object(results)[index])))
  } catch (error) {
    throw Object.assign(error, { stage: 'status' })
  }
}

function readStanding({ key, state, url = null, heldUntil, aiLabel, error }) {
  if (error) return { error: refusalOf(error, 'status') }
  if (!key || !state) throw new OssUploadError('bad_answer')
  return { key, state, url, ...(heldUntil && { heldUntil }), ...(aiLabel !== undefined && { aiLabel }) }
}

/** Of one item in an answer of 200. */
function refusalOf(error, stage) {
  const answer = { statusCode: undefined, data: { error }, header: { 'retry-after': error.retryAfter } }
  return Object.assign(functionError(answer), { stage })
}

/** Takes back what is held; whoever could not confirm it yet does so first. */
async function discard(client, result) {
  const { receipt = typeof result === 'string' && result, ticket } = Object(result)
  const known = receipt || (await confirm(client, ticket)).receipt
  const { key, state } = await persist(client, () => ask(client, '/discard', () => ({ receipt: known }), 'discard'))
  if (!state) throw new OssUploadError('bad_answer', '', { stage: 'discard' })
  return { key, state }
}

export { status, discard, refusalOf }
