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

/** A URL for each key; one that is known, or asked for already, is not asked for again. */
async function read(client, keys, options) {
  const { urls, now } = client
  const { variant } = Object(options)
  const list = [].concat(keys)
  const entryOf = (key) => urls.get(nameOf(key, variant))
  const missing = Array.from(new Set(list)).filter((key) => !(Object(entryOf(key)).until > now()))
  for (let from = 0; from < missing.length; from += MOST_ITEMS) {
    askFor(missing.slice(from, from + MOST_ITEMS), variant, client)
  }
  const found = list.map((key) => entryOf(key).url.catch((error) => {
    if (missing.includes(key) || ![400, 403].includes(error.statusCode)) throw error
    return read(client, key, options) // another asked for it, beside a key that is refused
  }))
  for (const name of Array.from(urls.keys()).slice(0, -MOST_URLS)) urls.delete(name)
  return Array.isArray(keys) ? Promise.all(found) : found[0]
}

const nameOf = (key, variant) => JSON.stringify([key, variant])

function askFor(keys, variant, client) {
  const { urls, now } = client
  const items = keys.map((key) => ({ key, variant }))
  const asked = persist(client, () => ask(client, '/read', () => ({ items }), 'read'))
    .then((answer) => signedIn(answer, keys.length, now()))
  keys.forEach((key, index) => {
    const name = nameOf(key, variant)
    const entry = { until: Infinity }
    entry.url = asked.then((signed) => {
      entry.until = signed[index].until
      return signed[index].url
    })
    entry.url.catch(() => urls.get(name) === entry && urls.delete(name))
    urls.delete(name)
    urls.set(name, entry) // the last to be dropped
  })
}

/** Each URL is kept for half of its life, which the function's clock alone tells. */
function signedIn({ items, serverTime }, count, now) {
  const signed = Array.from({ length: count }, (_, index) => Object(Object(items)[index]))
  if (!signed.every(({ url }) => url)) throw new OssUploadError('bad_answer', '', { stage: 'read' })
  return signed.map(({ url, expiresAt }) => (
    { url, until: expiresAt ? now + (Date.parse(expiresAt) - Date.parse(serverTime)) / 2 : Infinity }
  ))
}

export { confirm, read }
