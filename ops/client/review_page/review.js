/** The desk of a reviewer: one item at a time, decided by a key; the next one appears at once. */

import { $, element, otherLanguage, preferredLanguage, speak } from './elements.js'
import { preload, showMedia } from './media.js'
import { TEXTS, plain } from './texts.js'

// Links end after ten minutes.
const FRESH_MILLISECONDS = 8 * 60 * 1000
const EMPTY_MILLISECONDS = 15000
const HOUR_MILLISECONDS = 3600e3
const SOON_HOURS = 24
const FEW = 5
const MOST_NEWS = 8
const ENDS = ['published', 'rejected', 'gone']
const SUSPECTED = 3
const KEYS = { KeyA: 'publish', KeyR: 'reject', KeyS: 'skip' }

let language = preferredLanguage()
let reviewer = ''
/** Items in order, the one that is shown first; `cursor` is of the page behind them, null at the end. */
let queue = /** @type {any[]} */ ([])
let cursor = /** @type {string | null} */ (null)
let isLoading = false
let isAtStart = true
/** Receipts that were decided here, or are being. */
const decided = new Set()
let pending = 0
let done = 0
let shown = /** @type {any} */ (null)
/** Whether the item on the stage has appeared, so that a key is about what is seen. */
let isReady = false
let isSeen = false
let problem = /** @type {any} */ (null)
const news = /** @type {any[]} */ ([])

const texts = () => TEXTS[language]

/** An error with a sentence of either language. */
function failure(sentence) {
  return Object.assign(new Error(), { sentence })
}

async function ask(path, body) {
  const headers = { 'Content-Type': 'application/json', 'X-Page-Token': location.hash.slice(1) }
  const sent = { method: 'POST', headers, body: JSON.stringify({ ...body, language }) }
  const answer = await fetch(path, sent).catch(() => { throw failure((all) => all.noServer) })
  if (answer.status === 403) throw failure((all) => all.foreignPage)
  const said = await answer.json()
  if (said.error) throw failure(() => said.error)
  return said
}

// The queue

async function load() {
  if (isLoading) return
  isLoading = true
  try {
    const page = await ask('/items.json', { cursor: isAtStart ? null : cursor })
    const known = new Set(queue.map(({ receipt }) => receipt))
    const fresh = page.items.filter(({ receipt }) => !known.has(receipt) && !decided.has(receipt))
    queue.push(...fresh.map((item) => ({ ...item, loadedAt: Date.now() })))
    cursor = page.cursor
    reviewer = page.reviewer
    isAtStart = cursor === null
    problem = null
  } catch (error) {
    problem = error.sentence
    isAtStart = true
  }
  isLoading = false
  draw()
}

function reloadAll() {
  queue = []
  cursor = null
  isAtStart = true
  return load()
}

const isStale = (item) => Date.now() - item.loadedAt > FRESH_MILLISECONDS

/** Shows the first of the queue, unless it is shown already. */
function next() {
  const [item = null, following] = queue
  if (item && item !== shown && isStale(item)) {
    reloadAll()
    return
  }
  if (item !== shown) {
    shown = item
    isReady = isSeen = false
    if (item) {
      showMedia($('stage'), item, texts(), (seen) => {
        isReady = true
        isSeen = seen
        drawButtons()
      })
      preload(following)
    }
  }
  // A page may be short, or hold only what was decided here.
  if (!problem && cursor !== null && queue.length < FEW) load()
}

// Deciding

function act(what, isByKey = false) {
  if (!shown || !isReady || queue[0] !== shown) return
  if (what === 'skip') {
    if (queue.length > 1) queue.push(/** @type {any} */ (queue.shift()))
    draw()
  } else if (isSeen || what === 'reject' || !isByKey) {
    decide(queue.shift(), what)
  }
}

async function decide(item, decision) {
  decided.add(item.receipt)
  pending += 1
  const said = { item, decision, result: /** @type {any} */ (null), why: /** @type {any} */ (null) }
  news.unshift(said)
  news.splice(MOST_NEWS)
  draw()
  try {
    const label = item.isSuspected ? { aiLabel: SUSPECTED } : {}
    const result = await ask('/decision.json', { receipt: item.receipt, decision, ...label })
    if (!ENDS.includes(result.state)) throw failure((all) => all.stays)
    said.result = result
    done += 1
  } catch (error) {
    said.why = error.sentence
    decided.delete(item.receipt)
    // Not in place of what is being looked at.
    queue.splice(1, 0, item)
  }
  pending -= 1
  draw()
}

const isLabelled = ({ aiLabel }) => aiLabel?.label > 0

/** The label of AI-made content in words; what the file says beside it is a stranger's text. */
function labelText(all, { label, problem, source, c2pa, ...said }) {
  const known = [all.ai[label], all.ai[problem]].filter(Boolean)
  const words = known.length ? [...known, ...(label ? [all.ai[source]] : [])] : [all.ai.marks]
  return [...words, ...(c2pa ? ['C2PA'] : []), ...Object.values(said)].join(' · ')
}

/** What became of a decision, as a sentence. */
function outcome({ decision, result, why }) {
  const all = texts()
  if (why) return { kind: 'bad', text: all.failed(why(all)) }
  if (!result) return { kind: 'quiet', text: `${all[decision]}…` }
  const made = result.decision
  if (made && (made.action !== decision || made.reviewer !== reviewer)) {
    return { kind: 'other', text: all.other[made.action](plain(made.reviewer || all.deciders[made.by]), all.time(new Date(made.at))) }
  }
  if (result.state === 'gone') return { kind: 'other', text: all.gone }
  return { kind: decision === 'publish' ? 'good' : 'bad', text: decision === 'publish' ? all.published : all.rejected }
}

// Drawing

function draw() {
  const all = texts()
  speak(all)
  document.title = queue.length ? `(${queue.length}) ${all.title}` : all.title
  $('reviewer').textContent = plain(reviewer)
  $('progress').textContent = all.progress(done, queue.length, cursor !== null)
  $('problem').hidden = !problem
  $('problem').textContent = problem ? problem(all) : ''
  for (const [code, id] of Object.entries(KEYS)) {
    $(id).replaceChildren(all[id], ' ', element('kbd', { textContent: code.slice(-1) }))
  }
  next()
  drawStage(all)
  drawItem(all)
  drawButtons()
  $('news').replaceChildren(...news.map((each) => newsLine(each)))
  document.body.dataset.ready = String(!isLoading)
  document.body.dataset.pending = String(pending)
}

function drawStage(all) {
  if (shown) return
  const lines = isLoading ? [all.loading] : problem ? [] : [all.empty, all.emptyHint]
  $('stage').className = 'stage'
  $('stage').replaceChildren(element('div', { className: 'notice' }, ...lines.map((textContent) => element('p', { textContent }))))
}

function drawItem(all) {
  $('about').hidden = !shown
  if (!shown) return
  const by = all.checkers[shown.by]
  const reason = Object.hasOwn(all.reasons, shown.reason) ? all.reasons[shown.reason] : all.anyReason
  $('why').textContent = reason(by || all.machine, shown.errcode ?? '')
  $('labels').replaceChildren(...shown.labels.map((label) => element('li', { textContent: plain(all.label(label)) })))
  drawLeft()
  const facts = {
    checker: by || all.nobody,
    profile: [shown.profile, shown.caller].filter(Boolean).join(' · '),
    since: `${all.ago(new Date(shown.since))} (${all.time(new Date(shown.since))})`,
    heldUntil: all.time(new Date(shown.heldUntil)),
    ...('aiLabel' in shown ? { aiLabel: shown.aiLabel ? labelText(all, shown.aiLabel) : all.ai.none } : {}),
    type: `${shown.contentType} · ${all.sizeText(shown.size)}`,
    key: shown.key,
  }
  $('facts').replaceChildren(...Object.entries(facts).flatMap(([name, text]) => [
    element('dt', { textContent: all[name] }), element('dd', { textContent: plain(text) }),
  ]))
}

/** Says how long the item can still be decided. */
function drawLeft() {
  if (!shown) return
  const hours = (Date.parse(shown.heldUntil) - Date.now()) / HOUR_MILLISECONDS
  $('left').textContent = texts().left(hours)
  $('left').classList.toggle('soon', hours < SOON_HOURS)
}

function drawButtons() {
  // The file's own label and the uploader's count before a reviewer's.
  $('suspect').hidden = !shown || !('aiLabel' in shown) || isLabelled(shown)
  $('suspected').checked = Boolean(shown?.isSuspected)
  for (const id of Object.values(KEYS)) $(id).disabled = !shown || !isReady || (id === 'skip' && queue.length < 2)
}

function newsLine(each) {
  const { kind, text } = outcome(each)
  const name = each.item.key.split('/').pop()
  return element('li', { className: kind }, element('span', { className: 'name', textContent: plain(name) }), text)
}

// Wiring

$('suspected').onchange = () => { if (shown) shown.isSuspected = $('suspected').checked }
for (const id of Object.values(KEYS)) $(id).onclick = () => act(id)

document.addEventListener('keydown', (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return
  // With a Chinese input method on, the key has no letter.
  const letter = /^[a-z]$/i.test(event.key) ? `Key${event.key.toUpperCase()}` : event.code
  if (Object.hasOwn(KEYS, letter)) {
    event.preventDefault()
    act(KEYS[letter], true)
  }
})

$('language').onclick = () => {
  language = otherLanguage(language)
  // A sentence on the stage is said anew.
  if (!isSeen) shown = null
  draw()
}

addEventListener('beforeunload', (event) => { if (pending) event.preventDefault() })

document.addEventListener('visibilitychange', () => {
  if (document.hidden || !shown || !isStale(shown)) return
  shown = null
  reloadAll()
})

setInterval(() => {
  drawLeft()
  if (!document.hidden && (problem || !queue.length)) load()
}, EMPTY_MILLISECONDS)

draw()
await load()
