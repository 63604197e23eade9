/** The code of a mini-program that does what was just done on the page. */

import { $, element } from './elements.js'

const CHOOSE_MEDIA = (kind) => `wx.chooseMedia({ count: 1, mediaType: ['${kind}'] })`
const CHOOSE_FILE = "wx.chooseMessageFile({ count: 1, type: 'all' })"

/** `did` is 'upload', 'parts', 'held', 'askNow' or 'discard'; `notes` are the comments, in the page's language. */
export function miniProgramCode({ did, profile, endpoint, hasToken, notes }) {
  const isLarge = did === 'parts'
  const [make, file] = isLarge ? ['createLargeUploader', 'parts'] : ['createUploader', 'index']
  const options = [`endpoint: '${endpoint}'`, `profile: '${profile.name}'`, 'api: wx', ...(hasToken ? ['getToken: () => getApp().globalData.token'] : [])]
  const progress = isLarge ? ', onProgress: ({ progress }) => console.log(progress)' : ''
  const sent = isLarge ? `{ ...file${progress} }` : 'file'
  return [
    `const { ${make} } = require('../../utils/oss-direct-upload/${file}')`,
    `const uploader = ${make}({`,
    ...options.map((option) => `  ${option},`),
    '})',
    '',
    'async function upload() {',
    ...[
      `const chosen = await ${chooserOf(profile)}`,
      'const [file] = uploader.fromChosen(chosen)',
      `const ${resultOf(profile)} = await uploader.upload(${sent}).promise`,
      ...afterwards({ did, profile, notes }),
    ].map((line) => `  ${line}`),
    '}',
    '',
  ].join('\n')
}

function chooserOf({ contentTypes }) {
  const kind = ['image', 'video'].find((each) => contentTypes.every((type) => type.startsWith(`${each}/`)))
  return kind ? CHOOSE_MEDIA(kind) : CHOOSE_FILE
}

const hasReceipt = ({ confirm, callback, hold, parts }) => Boolean(confirm || callback || hold.length || parts)
const resultOf = (profile) => (hasReceipt(profile) ? '{ key, receipt }' : '{ key }')

function afterwards({ did, profile, notes }) {
  const variant = profile.variants.includes('thumb') ? 'thumb' : profile.variants[0]
  const lines = hasReceipt(profile) ? [`// ${profile.hold.length ? notes.commit : notes.receipt}`] : []
  if (did === 'askNow') lines.push('const { state } = await uploader.status(receipt)')
  if (did === 'discard') lines.push('const { state } = await uploader.discard(receipt)')
  if (profile.read && !profile.hold.length) lines.push(`const url = await uploader.read(key${variant ? `, { variant: '${variant}' }` : ''})`)
  return [...lines, `return { key${hasReceipt(profile) ? ', receipt' : ''}${lines.at(-1)?.startsWith('const url') ? ', url' : ''} }`]
}

/** Wires the card; returns what shows the code of one thing done, and what draws it in another language. */
export function wireCode({ config, texts }) {
  let last = /** @type {any} */ (null)
  const draw = () => {
    $('code').hidden = !last
    if (!last) return
    const { function: endpoint, businessToken } = config
    const text = miniProgramCode({ ...last, endpoint, hasToken: Boolean(businessToken), notes: texts().codeNotes })
    $('code-text').replaceChildren(element('code', { textContent: text }))
    $('copy').textContent = texts().copy
  }
  $('copy').onclick = async () => {
    await copyText($('code-text'))
    $('copy').textContent = texts().copied
  }
  return { draw, showCode: (did, profile) => { last = { did, profile }; draw() } }
}

/** A page that came over plain http from another machine has no clipboard; there it is selected and copied. */
async function copyText(shown) {
  if (navigator.clipboard) return navigator.clipboard.writeText(shown.textContent).catch(() => select(shown))
  return select(shown)
}

function select(shown) {
  getSelection()?.selectAllChildren(shown)
  document.execCommand('copy')
}
