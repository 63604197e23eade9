/** The playground: the mini-program client in a browser, against the local cloud of `make run`. */

import { loadClient, observed } from './client.js'
import { TAMPERINGS, readRefusal } from './tampering.js'
import { TEXTS, preferredLanguage } from './texts.js'
import { $, draw, drawStatus, element } from './view.js'

// As wide as style.css has one column only.
const NARROW = matchMedia('(max-width: 860px)')

let language = preferredLanguage()
let task = /** @type {any} */ (null)
/** What there is to show, in no language yet: a sentence is a function of the texts. */
const shown = /** @type {any} */ ({ file: null, status: null, progress: 0, request: null, form: null, object: null, attempts: [] })

const texts = () => TEXTS[language]
const show = (changes) => draw(texts(), Object.assign(shown, changes))

const [client, config] = await Promise.all([loadClient(), fetch('/config.json').then((response) => response.json())])
const login = config.callerAuth === 'wechat' ? { login: () => `local-playground-${randomText()}` } : {}
const api = client.createBrowserApi(login)

/** A page that came over plain http from another machine has no crypto.randomUUID. */
function randomText() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function newUploader(watch) {
  return client.createUploader({
    endpoint: config.function,
    api: observed(api, watch),
    profile: $('profile').value,
    ...(config.businessToken && { getToken: () => config.businessToken }),
  })
}

// Choosing

function choose(file) {
  if (!file) return
  const isPicture = file.type.startsWith('image/')
  $('preview').hidden = !isPicture
  if (isPicture) $('preview').src = URL.createObjectURL(file)
  show({ file: client.filesFrom([file])[0] })
  $('upload').disabled = false
}

function drawSample() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 200 })
  const paint = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
  const sky = paint.createLinearGradient(0, 0, 320, 200)
  sky.addColorStop(0, '#1769e0')
  sky.addColorStop(1, '#7fd1ff')
  paint.fillStyle = sky
  paint.fillRect(0, 0, 320, 200)
  paint.fillStyle = '#ffffff'
  paint.font = '600 40px sans-serif'
  paint.textAlign = 'center'
  paint.fillText('OSS', 160, 96)
  paint.font = '18px sans-serif'
  paint.fillText(new Date().toLocaleTimeString('en-GB'), 160, 132)
  return new Promise((resolve) => {
    canvas.toBlob((blob) => resolve(new File([/** @type {Blob} */ (blob)], 'sample.png', { type: 'image/png' })))
  })
}

function describeProfile() {
  const { maxSize, contentTypes, callback } = config.profiles.find(({ name }) => name === $('profile').value)
  $('profile-facts').textContent = texts().profileFacts(maxSize, contentTypes, callback)
}

// Uploading

function setBusy(busy) {
  $('upload').disabled = busy || !shown.file
  $('cancel').disabled = !busy
  document.querySelectorAll('#tamperings button').forEach((button) => { /** @type {any} */ (button).disabled = busy })
}

/** An error of the client, or of the browser when nobody answers, as a sentence of either language. */
function sentenceOf(error) {
  const { code = 'network', advice, detail } = error
  if (code === 'aborted') return (all) => ({ text: all.cancelled })
  return (all) => {
    const said = all === TEXTS.en ? client.english({ ...error, code }) : error.code && error.message
    const hint = all === TEXTS.en ? detail : advice
    return { kind: 'bad', text: [said, code === 'network' ? all.serverLost : hint].filter(Boolean).join(' ') }
  }
}

async function upload() {
  setBusy(true)
  show({ status: (all) => ({ text: all.signing }), progress: 0, request: null, form: null, object: null })
  const onProgress = ({ progress }) => {
    drawStatus(texts(), Object.assign(shown, { progress, status: (all) => ({ text: all.sending(progress) }) }))
  }
  const watch = { onRequest: (options, res) => show({ request: { options, res } }), onForm: (form) => show({ form }) }
  task = newUploader(watch).upload({ ...shown.file, onProgress })
  try {
    const object = await task.promise
    show({ object: { ...object, seen: await look(object.key) }, status: (all) => ({ text: all.uploaded, kind: 'good' }) })
    if (NARROW.matches) $('status').scrollIntoView()
  } catch (error) {
    show({ status: sentenceOf(error) })
  } finally {
    setBusy(false)
  }
}

/** What OSS has; the object is private: its address alone is refused, as on a real bucket. */
async function look(key) {
  const { url } = await (await fetch(`/signed.json?key=${encodeURIComponent(key)}`)).json()
  const response = await fetch(url)
  return { url, type: response.headers.get('content-type') || '', size: (await response.blob()).size }
}

// Tampering: beside what was uploaded last, which stays as it is.

async function tamper({ id, how, spoil, fault }) {
  if (!shown.file) choose(await drawSample())
  setBusy(true)
  const answers = /** @type {any[]} */ ([])
  try {
    if (fault) await planFault(fault)
    const { outcome } = newUploader({ change: spoil, onAnswer: (res) => answers.push(readRefusal(res)) }).upload(shown.file)
    const { status, reason } = await outcome
    if (!answers.length) throw reason
    const attempt = { id, how, answers: answers.filter((each) => each.status !== 200), stored: status === 'fulfilled' }
    show({ attempts: [...shown.attempts, attempt] })
    $('attempts').firstElementChild.scrollIntoView({ block: 'nearest' })
  } catch (error) {
    show({ status: sentenceOf(error) })
    $('status').scrollIntoView({ block: 'nearest' })
  } finally {
    setBusy(false)
  }
}

async function planFault(kind) {
  await fetch(`${config.oss}/-/faults`, { method: 'PUT', body: JSON.stringify({ kind, times: 1, on: ['PostObject'] }) })
}

// Wiring

function speak() {
  show()
  describeProfile()
}

function tamperingButton(tampering) {
  const button = element('button', { type: 'button', className: 'button', id: `tamper-${tampering.id}`, onclick: () => tamper(tampering) })
  button.dataset.text = tampering.id
  return button
}

function wireDrop() {
  const zone = $('drop')
  const mark = (over) => (event) => { event.preventDefault(); zone.classList.toggle('over', over) }
  zone.addEventListener('dragover', mark(true))
  zone.addEventListener('dragleave', mark(false))
  zone.addEventListener('drop', (event) => { mark(false)(event); choose(event.dataTransfer.files[0]) })
}

const usable = config.profiles.filter(({ classic }) => !classic)
$('profile').replaceChildren(...usable.map(({ name }) => element('option', { value: name, textContent: name })))
$('profile').value = usable.some(({ name }) => name === 'avatar') ? 'avatar' : usable[0].name
$('tamperings').replaceChildren(...TAMPERINGS.map(tamperingButton))
$('profile').onchange = describeProfile
$('file').onchange = () => choose($('file').files[0])
$('sample').onclick = async () => choose(await drawSample())
$('upload').onclick = upload
$('cancel').onclick = () => task.abort()
$('language').onclick = () => {
  language = language === 'zh' ? 'en' : 'zh'
  localStorage.setItem('language', language)
  speak()
}
// On a phone the result comes first; how it came about is a tap away.
if (NARROW.matches) for (const step of ['step-request', 'step-policy']) $(step).open = false
wireDrop()
speak()
document.body.dataset.ready = 'true'
