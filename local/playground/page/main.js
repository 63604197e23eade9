/** The playground: the mini-program client in a browser, against the local cloud of `make run`. */

import { loadClient, observed } from './client.js'
import { $, element, otherLanguage, preferredLanguage, speak } from './elements.js'
import { wireHeld } from './held.js'
import { TAMPERINGS, readRefusal } from './policy.js'
import { drawSample } from './samples.js'
import { TEXTS, labelOf } from './texts.js'
import { draw, drawProgress } from './view.js'

// As wide as style.css has one column only.
const NARROW = matchMedia('(max-width: 860px)')
const PARTS_FROM = 5 * 1024 ** 2 // bytes; as the client has it

let language = preferredLanguage()
let task = /** @type {any} */ (null)
let isBusy = false
/** What there is to show, in no language yet: a sentence is a function of the texts. */
const shown = /** @type {any} */ ({ file: null, status: null, progress: 0, form: null, object: null, reading: null, attempts: [] })

const texts = () => TEXTS[language]
const show = (changes) => draw(texts(), Object.assign(shown, changes))

const [client, config] = await Promise.all([loadClient(), fetch('/config.json').then((response) => response.json())])
const callers = config.callers || [{ name: '', kind: config.callerAuth, businessToken: config.businessToken }]
const caller = callers.find(({ name }) => name === new URLSearchParams(location.search).get('caller')) || callers[0]
config.profiles = config.profiles.filter(({ callers: named }) => !named.length || named.includes(caller.name))
const login = ['jwt', 'anonymous'].includes(caller.kind) ? {} : { login: () => `local-playground-${randomText()}` }
/** As a platform tells a mini-program its AppID. */
const apiWith = (more) => ({ ...client.createBrowserApi({ ...login, ...more }), getAccountInfoSync: () => ({ miniProgram: { appId: caller.app } }) })
const api = apiWith({})
// What a large file needs to go on, and the session with it, last longer than the page.
const lasting = apiWith({ storage: localStorage })

/** A page that came over plain http from another machine has no crypto.randomUUID. */
function randomText() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function newUploader(watch, isLarge = false, name = $('profile').value) {
  const options = {
    endpoint: config.function,
    api: observed(isLarge ? lasting : api, watch),
    profile: name,
    ...(caller.businessToken && { getToken: () => caller.businessToken }),
  }
  return isLarge ? client.createLargeUploader({ ...options, user: `playground${caller.name}` }) : client.createUploader(options)
}

// Choosing

function choose(file) {
  if (!file || isBusy) return
  const isPicture = file.type.startsWith('image/')
  $('preview').hidden = !isPicture
  if (isPicture) $('preview').src = URL.createObjectURL(file)
  show({ file: client.filesFrom([file])[0] })
  $('upload').disabled = false
}

const profile = () => config.profiles.find(({ name }) => name === $('profile').value)

function describeProfile() {
  if (usable.length) $('profile-facts').textContent = texts().profileFacts(profile())
}

// Uploading

function setBusy(busy) {
  isBusy = busy
  for (const id of ['file', 'sample', 'profile']) $(id).disabled = busy
  $('upload').disabled = busy || !shown.file
  $('cancel').disabled = !busy
  document.querySelectorAll('.spoiling button').forEach((button) => { /** @type {any} */ (button).disabled = busy })
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

const showProgress = (changes) => drawProgress(texts(), Object.assign(shown, changes))

async function upload() {
  setBusy(true)
  show({ status: (all) => ({ text: all.signing }), progress: 0, form: null, object: null, reading: null })
  const onProgress = ({ progress }) => showProgress({ progress, status: (all) => ({ text: all.sending(progress) }) })
  const isLarge = profile().parts && shown.file.size >= PARTS_FROM
  const uploader = newUploader({ onForm: (form) => show({ form }) }, isLarge)
  task = uploader.upload({ ...shown.file, onProgress })
  try {
    const object = await task.promise
    const askedAt = isLarge ? '/multipart-complete' : '/confirm'
    show({ object: { ...object, askedAt, seen: await look(object.key, profile().bucket) }, status: (all) => ({ text: all.uploaded, kind: 'good' }) })
    if (NARROW.matches) $('status').scrollIntoView()
    show({ reading: await read(uploader, object.key) })
  } catch (error) {
    show({ status: sentenceOf(error) })
  } finally {
    setBusy(false)
  }
}

/** What OSS has; the object is private: its address alone is refused, as on a real bucket. */
async function look(key, bucket) {
  const { url } = await (await fetch(`/signed.json?${new URLSearchParams({ key, bucket })}`)).json()
  const response = await fetch(url)
  return { url, type: response.headers.get('content-type') || '', size: (await response.blob()).size }
}

// Reading

/** What the function gives to somebody who may see the object, or why it gives nothing. */
async function read(uploader, key) {
  const { read: readers, variants } = profile()
  if (!readers || !/\.(jpe?g|png|gif|webp|bmp)$/.test(key)) return {}
  const variant = variants.includes('thumb') ? 'thumb' : variants[0]
  try {
    return { variant, url: await uploader.read(key, { variant }) }
  } catch (error) {
    return { problem: sentenceOf(error) }
  }
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
    const attempt = { id, how, answers: answers.filter((each) => each.status !== 200), stored: status === 'fulfilled' ? 'stored' : '' }
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
  // Through the playground: a phone may not ask the local OSS itself.
  const { ok } = await fetch('/fault.json', { method: 'POST', body: JSON.stringify({ kind, bucket: profile().bucket }) })
  if (!ok) throw new Error(`/fault.json: ${kind}`)
}

// Wiring

function drawAll() {
  speak(texts())
  show()
  drawHeld()
  describeProfile()
  $('deployment').textContent = texts().deployment(config.isDemo)
}

function button(what) {
  const made = element('button', { type: 'button', className: 'button', id: `tamper-${what.id}`, onclick: () => tamper(what) })
  made.dataset.text = what.id
  return made
}

function wireDrop() {
  const zone = $('drop')
  const mark = (over) => (event) => { event.preventDefault(); zone.classList.toggle('over', over) }
  zone.addEventListener('dragover', mark(true))
  zone.addEventListener('dragleave', mark(false))
  zone.addEventListener('drop', (event) => { mark(false)(event); choose(event.dataTransfer.files[0]) })
}

const usable = config.profiles.filter(({ classic, hold }) => !classic && !hold.length)
const drawHeld = wireHeld({ config, client, texts, sentenceOf, newUploader: (name) => newUploader({}, false, name) })
$('profile').replaceChildren(...usable.map((each) => element('option', { value: each.name, textContent: labelOf(each) })))
// A deployment may hold all that it takes.
if (usable.length) $('profile').value = usable.some(({ name }) => name === 'avatar') ? 'avatar' : usable[0].name
for (const card of ['.choosing', '.tampering', '.results']) /** @type {any} */ (document.querySelector(card)).hidden = !usable.length
$('tamperings').replaceChildren(...TAMPERINGS.map(button))
$('profile').onchange = describeProfile
$('callers').hidden = callers.length === 1
$('caller').replaceChildren(...callers.map(({ name, kind }) => element('option', { value: name, textContent: `${name} · ${kind}` })))
$('caller').value = caller.name
$('caller').onchange = () => { location.search = `?caller=${$('caller').value}` }
$('file').onchange = () => choose($('file').files[0])
$('sample').onclick = async () => choose(await drawSample())
$('upload').onclick = upload
$('cancel').onclick = () => task.abort()
$('language').onclick = () => {
  language = otherLanguage(language)
  drawAll()
}
// On a phone the result comes first; how it came about is a tap away.
if (NARROW.matches) $('step-policy').open = false
wireDrop()
drawAll()
document.body.dataset.ready = 'true'
