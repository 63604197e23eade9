import { OssUploadError } from './errors.mjs'
import { ask, persist, request } from './calls.mjs'

const MOST_ITEMS = 50 // of one /read
const MOST_URLS = 500 // kept

/** The receipt from what OSS says of the object. */
async function confirm(client, ticket, job) {
  try {
    const answer = await persist(client, () => request(client, '/confirm', { ticket }, '', job), job)
    if (!answer.receipt) throw new OssUploadError('bad_answer')
    return answer
  } catch (error) {
    throw Object.assign(error, { stage: 'confirm' })
  }
}

/** A URL for each key, kept for half of the time it is good for. */
async function read(client, keys, options) {
  const { urls, now } = client
  const { variant } = Object(options)
  const list = [].concat(keys)
  const nameOf = (key) => JSON.stringify([key, variant])
  const missing = Array.from(new Set(list)).filter((key) => !(Object(urls.get(nameOf(key))).until > now()))

  function fetch(some) {
    const items = some.map((key) => ({ key, variant }))
    const asked = persist(client, () => ask(client, '/read', () => ({ items }), 'read')).then((answer) => {
      const found = items.map((_, index) => Object(Object(answer.items)[index]))
      if (!found.every(({ url }) => url)) throw new OssUploadError('bad_answer', '', { stage: 'read' })
      return found.map(({ url, expiresAt }) => (
        { url, until: expiresAt ? now() + (Date.parse(expiresAt) - Date.parse(answer.serverTime)) / 2 : Infinity }
      ))
    })
    some.map(nameOf).forEach((name, index) => {
      const entry = { until: Infinity }
      entry.url = asked.then((found) => Object.assign(entry, { until: found[index].until }) && found[index].url)
      entry.url.catch(() => urls.get(name) === entry && urls.delete(name))
      urls.delete(name)
      urls.set(name, entry) // the last to be dropped
    })
  }

  for (let from = 0; from < missing.length; from += MOST_ITEMS) fetch(missing.slice(from, from + MOST_ITEMS))
  const found = list.map((key) => urls.get(nameOf(key)).url.catch((error) => {
    if (missing.includes(key) || ![400, 403].includes(error.statusCode)) throw error
    return read(client, key, options) // another asked for it, beside a key that is refused
  }))
  for (const name of Array.from(urls.keys()).slice(0, -MOST_URLS)) urls.delete(name)
  return Array.isArray(keys) ? Promise.all(found) : found[0]
}

export { confirm, read }
