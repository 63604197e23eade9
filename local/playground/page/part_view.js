/** Draws an upload in parts: the row, what the colours mean, and what can be done with it. */

import { $, element } from './elements.js'
import { countDone, countSent } from './part_row.js'

const MOST_WITH_NUMBERS = 60
const LOOKS = ['waiting', 'sending', 'done', 'again']

export function drawParts(texts, parts) {
  $('parts').hidden = !parts
  if (!parts) return
  const { row, speed, timeLeft, paused, isCut, isOver } = parts
  const done = countDone(parts)
  const pace = speed && timeLeft !== null && !(paused || isCut || isOver) ? [texts.speed(speed), texts.timeLeft(timeLeft)] : []
  const list = $('part-row')
  list.className = `parts ${row.length > MOST_WITH_NUMBERS ? 'many' : ''}`
  list.setAttribute('aria-label', texts.partsDone(done, row.length))
  list.replaceChildren(...row.map((part, index) => partItem(texts, part, index + 1)))
  const facts = row.length ? [texts.partsDone(done, row.length), texts.partsSent(countSent(parts)), ...pace] : []
  $('part-facts').replaceChildren(...facts.map((textContent) => element('span', { textContent })))
  $('part-legend').replaceChildren(...LOOKS.map((look) => (
    element('li', {}, element('span', { className: `part ${look}` }), texts.looks[look])
  )))
  $('pause').textContent = paused ? texts.resume : texts.pause
  $('cut').disabled = isCut || isOver
  $('pause').disabled = isOver
  $('reload').disabled = isOver
}

function partItem(texts, { state, times }, number) {
  const className = `part ${state} ${times > 1 ? 'again' : ''}`.trim()
  return element('li', { className, textContent: String(number), title: texts.part(number, texts.looks[state], times) })
}
