import { OssUploadError } from './errors.mjs'
import { ask, persist } from './calls.mjs'
import { refusalOf } from './held.mjs'

const MOST_KEYS = 20 // of one /delete

/** The caller's own files, a page at a time as they are wanted; after an error the next call goes on where this one was. */
function list(client, { profile = client.profile || 'default', limit, variant } = Object(), told) {
  let [items, cursor, last] = [Array(), undefined, Promise.resolve()]

  async function load() {
    while (!items.length && cursor !== null) {
      const answer = await persist(client, () => ask(client, '/list', () => ({ profile, limit, variant, cursor }), 'list'))
      if (!Array.isArray(answer.items)) throw new OssUploadError('bad_answer', '', { stage: 'list' })
      items = Array.from(answer.items)
      cursor = answer.cursor || null
    }
  }

  const inTurn = (take) => () => {
    last = last.catch(Object).then(() => told(load())).then(take)
    return last
  }
  const found = {
    next: inTurn(() => ({ done: !items.length, value: items.shift() })),
    page: inTurn(() => ({ items: items.splice(0), done: cursor === null })),
  }
  // Older platforms have no such symbol.
  return Object.assign(found, typeof Symbol === 'function' && Symbol.asyncIterator && { [Symbol.asyncIterator]: () => found })
}

/** One by one gone, or its own error; of more than twenty keys twenty at a time. */
async function remove(client, keys, inWords) {
  const wanted = [].concat(keys)
  const found = []
  for (let from = 0; from < wanted.length; from += MOST_KEYS) {
    found.push(...await removeSome(client, wanted.slice(from, from + MOST_KEYS)))
  }
  found.forEach(({ error }) => error && inWords(error))
  if (Array.isArray(keys)) return found
  if (found[0].error) throw found[0].error
  return found[0]
}

async function removeSome(client, keys) {
  const { results } = await persist(client, () => ask(client, '/delete', () => ({ keys }), 'delete'))
  return keys.map((key, index) => readResult(key, Object(Object(results)[index]), client))
}

function readResult(key, { state, error }, { urls }) {
  if (error) return { key, error: refusalOf(error, 'delete') }
  if (state !== 'gone') throw new OssUploadError('bad_answer', '', { stage: 'delete' })
  for (const name of Array.from(urls.keys())) if (JSON.parse(name)[0] === key) urls.delete(name)
  return { key, state }
}

export { list, remove }
