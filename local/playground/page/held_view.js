/**
 * Uploads that are held, each as far as this page knows it: { id, name, src, steps, state, past, … }, and drawn with its way so far,
 * what it waits for, and what can be done with it. `steps` are the states of its way when all goes well, `past` those it has been in.
 */

import { $, element } from './elements.js'
import { labelOf } from './texts.js'

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

/** @type {[string, (item: any) => boolean][]} What can be done with an upload, and when. */
const BUTTONS = [
  ['commit', ({ state }) => state === 'held'],
  ['askNow', (item) => isStored(item)],
  ['publish', ({ state }) => state === 'review' || state === 'held'],
  ['reject', ({ state }) => state === 'review' || state === 'held'],
  ['discard', ({ state }) => ['held', 'checking', 'review'].includes(state)],
  ['remove', ({ state }) => state === 'published'],
]

/** The button that had the focus when it was drawn anew, until it or one beside it can have it again. */
let focused = ''

/** `act(name, item)` is called by the buttons. */
export function drawHeld(texts, { profiles, items, news, problem }, act) {
  drawChoices($('held-profile'), profiles.map((each) => [each.name, texts.heldOther(labelOf(each), each.hold.join(', '))]))
  $('held-problem').textContent = problem ? problem(texts) : ''
  $('held-news').textContent = news ? texts.heldNews(news.name, texts.states[news.state]) : ''
  $('held-nothing').hidden = items.length > 0
  const list = $('held-items')
  if (list.contains(document.activeElement)) focused = document.activeElement?.id || ''
  list.replaceChildren(...items.map((item) => heldItem(texts, item, act)).reverse())
  focusAgain()
}

function focusAgain() {
  if (document.activeElement !== document.body) focused = ''
  const [item] = focused.split('-').slice(1)
  const target = [focused, ...BUTTONS.map(([what]) => `held-${item}-${what}`)].map($).find((each) => each && !each.disabled)
  if (!focused || !target) return
  target.focus()
  focused = ''
}

/** The options of a select, in this language; what was chosen stays so. */
function drawChoices(select, choices) {
  const { value } = select
  select.replaceChildren(...choices.map(([id, textContent]) => element('option', { value: id, textContent })))
  if (value) select.value = value
}

function heldItem(texts, item, act) {
  const { src, name, state, problem, seen } = item
  const buttons = BUTTONS.filter(([, fits]) => fits(item)).map(([what]) => button(texts, item, what, act))
  const said = problem ? problem(texts) : texts.now[state]
  return element(
    'li',
    { className: `held-item ${state}` },
    element('img', { className: 'held-picture', src, alt: texts.samplePicture(name) }),
    element(
      'div',
      { className: 'held-facts' },
      element('strong', { textContent: name }),
      way(texts, item),
      element('p', { className: problem ? 'bad small' : 'quiet small', textContent: said }),
      where(texts, item),
      ...(seen ? [element('img', { className: 'held-seen', src: seen, alt: texts.see })] : []),
      element('div', { className: 'steering' }, ...buttons),
    ),
  )
}

/** Where it came from, where it is, and where it may still go. */
function way(texts, item) {
  const { before, after } = wayOf(item)
  const step = (state, className) => element('li', { className: `${className} ${state}`, textContent: texts.states[state] })
  const here = step(item.state, 'here')
  here.setAttribute('aria-current', 'step')
  return element('ol', { className: 'way small' }, ...before.map((state) => step(state, 'before')), here, ...after.map((state) => step(state, 'after')))
}

function where(texts, item) {
  const { key, state } = item
  if (!key) return ''
  const place = isStored(item) ? [`${texts.storedAt} `, placeOf(state === 'published' ? key : `held/${key}`)] : [texts.nowhere]
  return element('p', { className: 'small held-place' }, ...(isOver(item) && !isStored(item) ? [texts.nowhere] : place))
}

/** Which folder and which file; the whole of it for who points at it. */
const placeOf = (key) => element('code', { textContent: key.replace(/^((?:held\/)?[^/]+\/).*\//, '$1…/'), title: key })

function button(texts, item, what, act) {
  return element('button', {
    type: 'button', className: 'button', id: `held-${item.id}-${what}`, disabled: item.isBusy, textContent: texts[what], onclick: () => act(what, item),
  })
}
