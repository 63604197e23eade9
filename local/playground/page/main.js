/** The playground: the mini-program client in a browser, against the local cloud of `make run`. */

import { loadClient, observed } from './client.js'
import { TAMPERINGS, readRefusal } from './tampering.js'
import { TEXTS, preferredLanguage } from './texts.js'
import * as view from './view.js'

const { $ } = view
const state = { language: preferredLanguage(), file: /** @type {any} */ (null), task: /** @type {any} */ (null) }
const texts = () => TEXTS[state.language]

const [client, config] = await Promise.all([loadClient(), fetch('/config.json').then((response) => response.json())])
const login = config.callerAuth === 'wechat' ? { login: () => `local-playground-${randomText()}` } : {}
const api = client.createBrowserApi(login)

/** A page that came over plain http from another machine has no crypto.randomUUID. */
function randomText() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function newUploader(watch = {}) {
  const show = {
    onRequest: (options, res) => view.showRequest(texts(), options, res),
    onForm: (options) => view.showForm(texts(), options),
    onAnswer: () => {},
  }
  return client.createUploader({
    endpoint: config.function,
    api: observed(api, { ...show, ...watch }),
    profile: $('profile').value,
    ...(config.businessToken && { getToken: () => config.businessToken }),
    ...(state.language === 'en' && { texts: client.english }),
  })
}

// Choosing

function choose(file) {
  if (!file) return
  ;[state.file] = client.filesFrom([file])
  delete $('chosen').dataset.text
  delete $('chosen-facts').dataset.text
  $('chosen').textContent = file.name
  $('chosen-facts').textContent = `${texts().bytes(file.size)} · ${file.type}`
  $('preview').hidden = !file.type.startsWith('image/')
  if (!$('preview').hidden) $('preview').src = URL.createObjectURL(file)
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
  paint.fillText(new Date().toLocaleTimeString(), 160, 132)
  return new Promise((resolve) => {
    canvas.toBlob((blob) => resolve(new File([/** @type {Blob} */ (blob)], 'sample.png', { type: 'image/png' })))
  })
}

function describeProfile() {
  const { maxSize, contentTypes, callback } = config.profiles.find(({ name }) => name === $('profile').value)
  $('profile-facts').textContent = texts().profileFacts(maxSize, contentTypes.join(', '), callback)
}

// Uploading

function setBusy(busy) {
  $('upload').disabled = busy || !state.file
  $('cancel').disabled = !busy
  document.querySelectorAll('#tamperings button').forEach((button) => { /** @type {any} */ (button).disabled = busy })
}

async function upload() {
  setBusy(true)
  view.empty(texts())
  view.showProgress(0)
  view.showStatus(texts().signing)
  const onProgress = ({ progress }) => {
    view.showProgress(progress)
    view.showStatus(texts().sending(progress))
  }
  state.task = newUploader().upload({ ...state.file, onProgress })
  try {
    const value = await state.task.promise
    view.showStatus(texts().uploaded, 'good')
    view.showReceipt(texts(), value.receipt)
    await view.showObject(texts(), { ...value, signedUrl: await signedUrl(value.key) })
  } catch (error) {
    const { code, message, advice, detail } = /** @type {any} */ (error)
    if (code === 'aborted') view.showStatus(texts().cancelled)
    else view.showStatus(`${message} ${state.language === 'zh' ? advice : detail}`, 'bad')
  } finally {
    setBusy(false)
  }
}

/** The object is private: its address alone is refused, as on a real bucket. */
async function signedUrl(key) {
  const response = await fetch(`/signed.json?key=${encodeURIComponent(key)}`)
  return (await response.json()).url
}

async function tamper({ id, how, spoil, fault }) {
  if (!state.file) choose(await drawSample())
  setBusy(true)
  const answers = /** @type {any[]} */ ([])
  const uploader = newUploader({ change: spoil, onAnswer: (res) => answers.push(readRefusal(res)) })
  try {
    if (fault) await planFault(fault)
    const { promise } = uploader.upload(state.file)
    const stored = await promise.then(() => true, () => false)
    const refusals = answers.filter(({ status }) => status !== 200)
    if (!answers.length) view.showStatus((await promise.catch((error) => error)).message, 'bad')
    else view.addAttempt(texts(), { title: texts()[id], how: how(texts()), answers: refusals, stored })
  } finally {
    setBusy(false)
  }
}

async function planFault(kind) {
  await fetch(`${config.oss}/-/faults`, { method: 'PUT', body: JSON.stringify({ kind, times: 1, on: ['PostObject'] }) })
}

// Wiring

function speak() {
  document.documentElement.lang = state.language === 'zh' ? 'zh-CN' : 'en'
  view.translate(texts())
  describeProfile()
  $('tamperings').replaceChildren(...TAMPERINGS.map((tampering) => view.element('button', {
    type: 'button', className: 'button', id: `tamper-${tampering.id}`, textContent: texts()[tampering.id],
    onclick: () => tamper(tampering),
  })))
}

function wireDrop() {
  const zone = $('drop')
  const mark = (over) => (event) => { event.preventDefault(); zone.classList.toggle('over', over) }
  zone.addEventListener('dragover', mark(true))
  zone.addEventListener('dragleave', mark(false))
  zone.addEventListener('drop', (event) => { mark(false)(event); choose(event.dataTransfer.files[0]) })
}

const usable = config.profiles.filter(({ classic }) => !classic)
$('profile').replaceChildren(...usable.map(({ name }) => view.element('option', { value: name, textContent: name })))
$('profile').value = usable.some(({ name }) => name === 'avatar') ? 'avatar' : usable[0].name
$('profile').onchange = describeProfile
$('file').onchange = () => choose($('file').files[0])
$('sample').onclick = async () => choose(await drawSample())
$('upload').onclick = upload
$('cancel').onclick = () => state.task.abort()
$('language').onclick = () => {
  state.language = state.language === 'zh' ? 'en' : 'zh'
  localStorage.setItem('language', state.language)
  speak()
}
wireDrop()
speak()
document.body.dataset.ready = 'true'
