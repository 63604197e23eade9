/** What the page shows; nothing here knows the network. */

import { decodePolicy, explain, shortened } from './policy.js'

export const $ = (id) => /** @type {any} */ (document.getElementById(id))

export function element(tag, options = {}, ...children) {
  const made = Object.assign(document.createElement(tag), options)
  made.append(...children)
  return made
}

export function translate(texts) {
  document.querySelectorAll('[data-text]').forEach((each) => {
    const text = texts[/** @type {HTMLElement} */ (each).dataset.text || '']
    if (typeof text === 'string') each.textContent = text
  })
  $('language').textContent = texts.otherLanguage
}

function fill(step, note, ...children) {
  const card = $(step)
  card.classList.add('filled')
  card.querySelector('.note').textContent = note
  card.querySelector('.body').replaceChildren(...children)
}

export function empty(texts) {
  for (const step of ['step-request', 'step-form', 'step-policy', 'step-object', 'step-receipt']) {
    const card = $(step)
    card.classList.remove('filled')
    card.querySelector('.note').textContent = ''
    card.querySelector('.body').replaceChildren(element('p', { className: 'quiet', textContent: texts.nothingYet }))
  }
}

function facts(...rows) {
  const list = element('dl', { className: 'facts' })
  rows.forEach(([name, value]) => list.append(element('dt', { textContent: name }), element('dd', {}, value)))
  return list
}

const json = (value) => element('pre', { textContent: JSON.stringify(value, (_, each) => (
  typeof each === 'string' ? shortened(each, 90) : each
), 2) })

export function showRequest(texts, options, res) {
  const { pathname } = new URL(options.url)
  fill(
    'step-request', `POST ${pathname} → ${res.statusCode}`,
    element('p', { className: 'quiet', textContent: texts.asked }), json(JSON.parse(options.data)),
    element('p', { className: 'quiet', textContent: texts.answered }), json(parsed(res.data)),
  )
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch (error) {
    return text
  }
}

export function showForm(texts, { url, formData }) {
  const rows = Object.entries(formData).map(([name, value]) => (
    [name, element('code', { textContent: shortened(value, 120) })]
  ))
  fill('step-form', texts.fields(rows.length + 1), facts(['POST', element('code', { textContent: `${url}/` })], ...rows))
  showPolicy(texts, formData)
}

function showPolicy(texts, formData) {
  const policy = decodePolicy(formData)
  const rows = explain(policy, texts).map(({ written, said }) => (
    element('li', {}, said, element('code', { textContent: written }))
  ))
  const time = new Date(policy.expiration).toLocaleTimeString()
  fill(
    'step-policy', texts.conditions(rows.length),
    element('p', { className: 'small', textContent: texts.until(time) }),
    element('ul', { className: 'conditions' }, ...rows),
  )
}

export async function showObject(texts, { signedUrl, key, statusCode }) {
  const response = await fetch(signedUrl)
  const type = response.headers.get('content-type') || ''
  const bytes = await response.blob()
  const link = element('a', { href: signedUrl, target: '_blank', rel: 'noopener', textContent: texts.open })
  const picture = type.startsWith('image/') ? [element('img', { className: 'object-picture', src: signedUrl, alt: key })] : []
  fill('step-object', `HTTP ${statusCode}`, facts(
    [texts.key, element('code', { textContent: key })],
    [texts.size, texts.bytes(bytes.size)],
    [texts.type, type],
    [texts.address, element('span', {}, link, ` ${texts.signedHint}`)],
  ), ...picture)
}

export function showReceipt(texts, receipt) {
  if (!receipt) {
    fill('step-receipt', '', element('p', { className: 'quiet', textContent: texts.noReceipt }))
    return
  }
  const payload = receipt.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')
  const claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0))))
  fill('step-receipt', 'JWT', element('p', { className: 'quiet small', textContent: texts.receiptHint }), json(claims))
}

export function showStatus(text, kind = '') {
  Object.assign($('status'), { textContent: text, className: `status ${kind}` })
}

export function showProgress(progress) {
  $('bar').style.width = `${progress}%`
  $('bar').parentElement.setAttribute('aria-valuenow', String(progress))
}

export function addAttempt(texts, { title, how, answers, stored }) {
  const lines = answers.map(({ status, code, message, ec }) => (
    element('code', { textContent: `HTTP ${status} ${code} ${message} ${ec && `(EC ${ec})`}` })
  ))
  const verdict = element('strong', {
    className: stored ? 'good' : 'bad',
    textContent: stored ? texts.stored : texts.refused,
  })
  const item = element('li', { className: stored ? 'stored' : '' }, verdict, ` · ${texts.attempt(title, how)}`, ...lines)
  if (stored) item.append(texts.renewed)
  $('attempts').prepend(item)
}
