/** Draws what the page has to show, in one language; nothing here knows the network or keeps anything. */

import { $, element } from './elements.js'
import { decodePolicy, explain, shortened } from './policy.js'

/** Everything anew, so that no sentence of another language stays behind. */
export function draw(texts, shown) {
  drawChosen(texts, shown.file)
  drawProgress(texts, shown)
  drawCard(texts, 'step-form', shown.form ? formCard(texts, shown.form) : shown.object && inParts(texts))
  drawCard(texts, 'step-policy', shown.form ? policyCard(texts, shown.form) : shown.object && inParts(texts))
  drawCard(texts, 'step-object', shown.object && objectCard(texts, shown.object))
  drawCard(texts, 'step-receipt', shown.object && receiptCard(texts, shown.object))
  drawCard(texts, 'step-reading', shown.reading && readingCard(texts, shown.reading))
  $('attempts').replaceChildren(...shown.attempts.map((attempt) => attemptItem(texts, attempt)).reverse())
}

function drawChosen(texts, file) {
  $('chosen').textContent = file ? file.name : texts.dropHere
  $('chosen-facts').textContent = file ? [texts.size(file.size), file.contentType].filter(Boolean).join(' · ') : texts.dropHint
}

/** What changes while an upload is under way. */
export function drawProgress(texts, { status, progress }) {
  const { text = '', kind = '' } = status ? status(texts) : {}
  Object.assign($('status'), { textContent: text, className: `status ${kind}` })
  $('bar').style.width = `${progress}%`
  $('bar').parentElement.setAttribute('aria-valuenow', String(progress))
}

function drawCard(texts, step, content) {
  const card = $(step)
  const { note, children } = content || { note: '', children: [quiet(texts.nothingYet)] }
  card.classList.toggle('filled', Boolean(content))
  card.querySelector('.note').textContent = note
  card.querySelector('.body').replaceChildren(...children)
}

function formCard(texts, { url, formData }) {
  const rows = Object.entries(formData).map(([name, value]) => [name, code(shortened(value, 120))])
  const list = facts(['POST', code(`${url}/`)], ...rows)
  list.classList.add('fields')
  return { note: texts.fields(rows.length + 1), children: [list] }
}

const inParts = (texts) => ({ note: '', children: [quiet(texts.inParts)] })

function policyCard(texts, { formData }) {
  const policy = decodePolicy(formData)
  const rows = explain(policy, texts).map(({ written, said }) => element('li', {}, said, code(written)))
  return {
    note: texts.conditions(rows.length),
    children: [
      element('p', { className: 'small', textContent: texts.until(texts.time(new Date(policy.expiration))) }),
      element('ul', { className: 'conditions' }, ...rows),
    ],
  }
}

function objectCard(texts, { statusCode, key, seen }) {
  const link = element('a', { href: seen.url, target: '_blank', rel: 'noopener', textContent: texts.open })
  const picture = seen.type.startsWith('image/') ? [element('img', { className: 'object-picture', src: seen.url, alt: key })] : []
  const rows = facts(
    [texts.key, code(key)],
    [texts.sizeName, texts.bytes(seen.size)],
    [texts.type, seen.type],
    [texts.address, element('span', {}, link, ` ${texts.signedHint}`)],
  )
  return { note: `HTTP ${statusCode}`, children: [...picture, rows] }
}

function receiptCard(texts, { receipt, confirmed, askedAt }) {
  if (!receipt) return { note: '', children: [quiet(texts.noReceipt)] }
  const payload = receipt.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')
  const claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0))))
  return {
    note: confirmed ? `POST ${askedAt} → JWT` : 'JWT',
    children: [quiet(claims.seen ? texts.seenHint : texts.unseenHint), json(claims), quiet(texts.receiptHint)],
  }
}

function readingCard(texts, { url, variant, problem }) {
  if (problem) return { note: '', children: [quiet(problem(texts).text)] }
  if (!url) return { note: '', children: [quiet(texts.noReading)] }
  const picture = element('img', { className: 'object-picture', src: url, alt: variant || '' })
  return { note: `POST /read → ${variant || texts.original}`, children: [picture, quiet(texts.readingHint)] }
}

function attemptItem(texts, { id, how, answers, stored = '' }) {
  const verdict = element('strong', { className: stored ? 'good' : 'bad', textContent: texts[stored || 'refused'] })
  const lines = answers.map(({ status, code: name, message, ec }) => code(`HTTP ${status} ${name} ${message} ${ec && `(EC ${ec})`}`))
  const item = element('li', { className: stored ? 'stored' : '' }, verdict, ` · ${texts.attempt(texts[id], how(texts))}`, ...lines)
  if (stored === 'stored') item.append(texts.renewed)
  return item
}

const code = (textContent) => element('code', { textContent })
const quiet = (textContent) => element('p', { className: 'quiet small', textContent })

function facts(...rows) {
  const list = element('dl', { className: 'facts' })
  rows.forEach(([name, value]) => list.append(element('dt', { textContent: name }), element('dd', {}, value)))
  return list
}

const json = (value) => element('pre', { textContent: JSON.stringify(value, (_, each) => (
  typeof each === 'string' ? shortened(each, 90) : each
), 2) })
