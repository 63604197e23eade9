/** Uploads that are held until they may be seen: one list of them, and all that is done with each. */

import { $, element } from './elements.js'
import { become, drawHeld, isOver, newItem } from './held_view.js'
import { drawSample } from './samples.js'

const SAMPLES = ['ok.png', 'risky.png', 'review.png', 'silent.png']
const ASKED_EVERY = 1500 // ms
const ASKED_FOR = 45000 // ms; after that somebody asks by hand

/** Which of the business's routes does what. */
const BUSINESS = {
  commit: ['/commits', {}],
  publish: ['/decisions', { decision: 'publish' }],
  reject: ['/decisions', { decision: 'reject' }],
  remove: ['/discards', {}],
}

/**
 * Wires the card and returns what draws it.
 *
 * `texts()` are those of the language, `newUploader(profile)` gives one of the client's, `sentenceOf(error)` says what went wrong
 * as a function of the texts.
 */
export function wireHeld({ config, client, texts, newUploader, sentenceOf }) {
  const profiles = config.profiles.filter(({ hold }) => hold.length)
  const held = { profiles, items: /** @type {any[]} */ ([]), news: /** @type {any} */ (null), problem: /** @type {any} */ (null) }
  const uploaders = new Map()
  const draw = () => drawHeld(texts(), held, (what, item) => attempt(item, () => act(what, item)))

  function move(item, state) {
    if (state && state !== item.state) held.news = { name: item.name, state }
    become(item, state)
  }

  /** Everything of one user goes by one uploader, which has the session. */
  function uploaderOf(profile) {
    if (!uploaders.has(profile)) uploaders.set(profile, newUploader(profile))
    return uploaders.get(profile)
  }

  async function add(file) {
    const profile = profiles.find(({ name }) => name === $('held-profile').value)
    const item = /** @type {any} */ (newItem(file, URL.createObjectURL(file), profile))
    held.items.push(item)
    await attempt(item, async () => {
      const result = await uploaderOf(item.profile).upload(client.filesFrom([file])[0]).promise
      Object.assign(item, { key: result.key, receipt: result.receipt })
      move(item, result.state)
    })
    if (!item.receipt) {
      move(item, 'failed')
      draw()
    }
  }

  /** One thing at a time is done with an item; what goes wrong is said beside it. */
  async function attempt(item, doIt) {
    Object.assign(item, { isBusy: true, problem: null })
    draw()
    try {
      await doIt()
    } catch (error) {
      item.problem = error.said || ((all) => sentenceOf(error)(all).text)
    }
    item.isBusy = false
    draw()
    if (item.state === 'checking') watch(item)
  }

  async function act(what, item) {
    if (what === 'askNow') return ask(item)
    if (what === 'discard') return move(item, (await uploaderOf(item.profile).discard(item.receipt)).state)
    const [route, more] = BUSINESS[what]
    move(item, (await askBusiness(route, { receipt: item.receipt, ...more })).state)
    return see(item)
  }

  async function ask(item) {
    move(item, (await uploaderOf(item.profile).status(item.receipt)).state)
    return see(item)
  }

  /** As others see it, now that they may. */
  async function see(item) {
    if (item.state === 'published' && !item.seen) item.seen = await uploaderOf(item.profile).read(item.key, { variant: 'thumb' })
    if (item.state !== 'published') item.seen = null
  }

  /** Asks by itself for a while. */
  async function watch(item) {
    if (item.isWatched) return
    item.isWatched = true
    const ends = Date.now() + ASKED_FOR
    while (item.state === 'checking' && Date.now() < ends) {
      await new Promise((go) => { setTimeout(go, ASKED_EVERY) })
      if (item.state === 'checking' && !item.isBusy) await ask(item).catch(() => {})
      draw()
    }
    item.isWatched = false
  }

  async function askBusiness(route, body) {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(config.business + route, { method: 'POST', headers, body: JSON.stringify(body) })
    const { error, ...answer } = await response.json()
    if (error) throw Object.assign(new Error(route), { said: (all) => all.businessSaid(error.code || error) })
    return answer
  }

  async function tellCloud(path, body) {
    held.problem = null
    try {
      const { ok, status } = await fetch(path, { method: 'POST', body: JSON.stringify(body) })
      if (!ok) throw new Error(`${path}: ${status}`)
    } catch (error) {
      held.problem = (all) => sentenceOf(error)(all).text
    }
    draw()
  }

  async function letPass(path, time) {
    await tellCloud(path, time)
    await Promise.all(held.items.filter((item) => !isOver(item) && item.receipt).map((item) => attempt(item, () => ask(item))))
  }

  $('held').hidden = !profiles.length
  $('held-samples').replaceChildren(...SAMPLES.map((name) => element('button', {
    type: 'button', className: 'button', id: `held-${name.split('.')[0]}`, textContent: name, onclick: async () => add(await drawSample(sampleName(name))),
  })))
  $('held-file').onchange = () => [...$('held-file').files].forEach(add)
  $('one-minute').onclick = () => letPass('/minutes.json', { minutes: 1 })
  $('silence').onclick = () => letPass('/minutes.json', { minutes: 35 })
  $('eight-days').onclick = () => letPass('/days.json', { days: 8 })
  draw()
  return draw
}

/** The local WeChat goes by how a name begins. */
const sampleName = (name) => (name === 'ok.png' ? name : name.replace('.', '-sample.'))
