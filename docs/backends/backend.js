'use strict'

// The backend of the tutorial; nothing to install.
const { existsSync, readFileSync, renameSync, writeFileSync } = require('node:fs')
const { createServer } = require('node:http')
const { buffer } = require('node:stream/consumers')
const { call, commit, introspect, verifyReceipt, verifyWebhook } = require('./uploads')

const now = () => Date.now() / 1000 // the clock
const { FUNCTION = 'http://127.0.0.1:9000', PORT = 3000, SECRET, EVERY = 60 } = process.env
const FILE = `${__dirname}/posts.json`
const NEVER = 1e12
// A state gives way to a later one alone, for webhooks and responses overtake each other.
const STATES = ['', 'held', 'checking', 'review', 'published', 'rejected', 'gone', 'expired']
const posts = new Map(existsSync(FILE) ? JSON.parse(readFileSync(FILE)) : []) // your database takes its place
const live = () => [...posts.values()].filter(({ isDeleted }) => !isDeleted)
const pictures = () => live().flatMap((post) => post.pictures)
const refuse = (status, message) => { throw Object.assign(new Error(message), { status }) }

function save() {
  writeFileSync(`${FILE}.new`, JSON.stringify([...posts]))
  renameSync(`${FILE}.new`, FILE)
}

function note(id, state, aiLabel) {
  for (const picture of pictures()) {
    const isLater = STATES.indexOf(state) >= STATES.indexOf(picture.state)
    // Whoever shows the picture shows the notice of its label: 1 is AI-made, 2 may be, 3 is suspected.
    if (picture.jti === id && isLater) Object.assign(picture, { state, next: now() + 3600 }, aiLabel && { aiLabel })
  }
  save()
}

function publish(user, { text, receipts }) {
  const made = receipts.map((receipt) => ({ ...verifyReceipt(receipt, SECRET), receipt, state: '', next: 0 }))
  if (!made.length || made.length > 9 || made.some(({ sub }) => sub !== user)) refuse(403, '只能发自己的图片')
  const id = made[0].jti // sent again, it is the same post
  if (!posts.has(id)) posts.set(id, { id, user, text, at: now(), pictures: made })
}

async function work() {
  // What is undecided: at once, a minute after an error, and every hour, should a webhook be lost.
  const isDue = ({ state, next }) => STATES.indexOf(state) < STATES.indexOf('published') && next <= now()
  for (let due; (due = pictures().filter(isDue).slice(0, 20)).length;) {
    for (const picture of due) picture.next = now() < picture.exp ? now() + 60 : NEVER
    const results = await commit(FUNCTION, due.map(({ receipt }) => receipt), SECRET)
    for (const [index, { state, error, aiLabel }] of results.entries()) {
      note(due[index].jti, error && error.code === 'not_uploaded' ? 'gone' : state, aiLabel)
    }
  }
  for (const { id, pictures: all } of [...posts.values()].filter(({ isDeleted }) => isDeleted)) {
    const { results } = await call(FUNCTION, 'delete', { keys: all.map(({ key }) => key) }, SECRET)
    if (results.every(({ error }) => !error)) posts.delete(id)
  }
  save()
}
const tryToWork = () => work().catch(({ message, requestId }) => console.error(message, requestId))

async function act({ method, url, headers }, body) {
  const [, place, id] = url.split('/')
  if (place === 'webhook') {
    const { event, claims: { jti } = {}, aiLabel } = verifyWebhook(body, headers, SECRET)
    note(jti, event, aiLabel)
  } else if (method !== 'GET') {
    const session = (headers.authorization || '').replace('Bearer ', '')
    const { active, sub } = await introspect(FUNCTION, session, SECRET)
    if (!active) refuse(401, '请重新登录')
    if (method === 'POST') publish(sub, JSON.parse(body))
    else if (posts.has(id) && posts.get(id).user === sub) posts.get(id).isDeleted = true
    save()
    tryToWork()
  }
  const shown = ({ key, state, aiLabel }) => ({ key, state, aiLabel })
  return { posts: live().map(({ id: key, text, at, pictures: all }) => ({ id: key, text, at, pictures: all.map(shown) })).reverse() }
}

createServer(async (request, response) => {
  const reply = (status, value) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
  await buffer(request).then((body) => act(request, body)).then((said) => reply(200, said))
    .catch(({ message, requestId, status = 400 }) => reply(status, { error: { message, requestId } }))
}).listen(PORT, () => setInterval(tryToWork, EVERY * 1000))
