import { OssUploadError } from './errors.mjs'

const FIRST_WAIT = 1000 // 毫秒；审核一般几秒钟就有结果
const LONGEST_WAIT = 45000
const MOST_AT_ONCE = 20 // of chooseMedia
const NOTICED = 'oss-uploader-noticed'
const WAITING = ['held', 'checking', 'review']
const WORDS = {
  add: '添加', camera: '拍摄', album: '从相册选择', chat: '从聊天中选择', retry: '重试', remove: '删除',
  image: '图片', video: '视频', file: '文件', uploading: '上传中', done: '已上传',
  held: '审核中', checking: '审核中', review: '审核中', rejected: '未通过', gone: '已失效', lost: '打不开了',
  notice: '', noticeTitle: '上传须知', agree: '知道了',
  aiDeclare: '含 AI 生成内容', aiScope: '对之后选择的文件有效', aiIs: '属于 AI 生成合成内容', aiMaybe: '可能为 AI 生成合成内容', aiSuspected: '疑似 AI 生成合成内容',
}
const AI_LABELS = new Map([[1, 'aiIs'], [2, 'aiMaybe'], [3, 'aiSuspected']]) // by the number alone: all else is a file's own text

/**
 * What an <oss-uploader> holds, without a view: `connect()` makes the client, `options()` has the properties,
 * `render(view)` shows everything, `renderItem(index, view)` one item, `emit(name, detail)` tells the page.
 */
function createGallery({ api, connect, options, render, renderItem, emit }) {
  let [items, uploader, message] = [Array(), /** @type {any} */ (null), '']
  let [lastId, mark, done] = [0, 0, true]
  let [submitting, shown, left, declared] = [false, true, false, false]
  let [timer, wait] = [/** @type {any} */ (0), FIRST_WAIT]

  const words = () => ({ ...WORDS, ...options().texts })
  const isClosed = () => !!options().disabled || submitting || items.some(({ file, submitted }) => file && submitted)
  const room = () => (isClosed() ? 0 : Math.max(options().max - items.length, 0))
  const isFixed = ({ submitted }) => submitted || isClosed()
  const find = (id) => items.find((item) => item.id === id)

  const client = () => { uploader = uploader || connect(); return uploader }

  /** With a client of the page's own. */
  const use = (own) => { uploader = own; return showValue() }

  function show(isNews = true) {
    render({ items: items.map(viewOf), message, room: room(), words: words(), declared })
    if (isNews) emit('change', { items: items.map(eventOf) })
  }

  function viewOf(item, index) {
    const { id, kind, src, name, state, progress, error, submitted, lost, aiLabel } = item
    const texts = words()
    const word = (lost && texts.lost) || (submitted && texts[state]) || ''
    const message = error ? error.message : ''
    const said = message || word || (state === 'uploading' ? `${texts.uploading} ${progress}%` : texts.done)
    const aiNotice = (options().aiLabel && texts[AI_LABELS.get(Object(aiLabel).label) || '']) || ''
    const shown = { src: lost ? '' : src, name: name || texts[kind], canRetry: canRetry(item), fixed: isFixed(item) }
    const label = [`${texts[kind]} ${index + 1}/${items.length}`, said, aiNotice].filter(Boolean).join('，')
    return { id, kind, state, progress, word, message, aiNotice, ...shown, label }
  }

  const canRetry = ({ error }) => !!error && !submitting && (error.retryable || isUnsure(error))

  /** One sentence under the pictures; a picker that was closed is none. */
  function tell(error, index) {
    const { code, advice, detail } = error
    if (code === 'aborted') return
    Object.assign(error, { message: Object(options().texts)[code] || hintOf(error, options()) || error.message })
    console.warn(code, advice, detail) // 给开发者看的，不给用户
    if (index === undefined) message = error.message
    emit('fail', { code, message: error.message, ...(index !== undefined && { index }) })
  }

  const call = (name, values) => new Promise((success, fail) => { api[name]({ ...values, success, fail }) })

  async function choose() {
    if (!room()) return
    message = ''
    try {
      client()
      if (!await isNoticed()) return
      if (api.requirePrivacyAuthorize) await call('requirePrivacyAuthorize')
      const sources = ['camera', 'album', ...(api.chooseMessageFile ? ['chat'] : [])].map((name) => words()[name])
      const { tapIndex } = await call('showActionSheet', { itemList: sources })
      add(await pick(tapIndex))
    } catch (failure) {
      tell(failure.name === 'OssUploadError' ? failure : client().explain(failure))
      show(false)
    }
  }

  /** 运营规范 12.7.1: users are told before the first upload, with the words of `texts.notice`. */
  async function isNoticed() {
    const { notice, noticeTitle, agree } = words()
    if (!notice || api.getStorageSync(NOTICED) === notice) return true
    const { confirm } = await call('showModal', { title: noticeTitle, content: notice, confirmText: agree })
    if (confirm) api.setStorageSync(NOTICED, notice)
    return confirm
  }

  function pick(tapIndex) {
    const { mediaType } = options()
    const count = Math.min(room(), MOST_AT_ONCE)
    if (tapIndex === 2) return call('chooseMessageFile', { count, type: mediaType === 'mix' ? 'all' : mediaType })
    return call('chooseMedia', { count, mediaType: [mediaType], sourceType: [tapIndex ? 'album' : 'camera'], maxDuration: 60 })
  }

  /** For what is chosen from now on: a form that is signed says it for good. */
  function declare() {
    declared = !declared
    show(false)
  }

  function add(chosen) {
    const files = client().fromChosen(chosen).slice(0, room())
    const added = files.map((file, index) => {
      const { thumbTempFilePath = '', thumb = thumbTempFilePath } = Object(chosen.tempFiles)[index] || {}
      const kind = /^(image|video)$/.test(file.fileType) ? file.fileType : kindOf(file.name || file.filePath, options().mediaType)
      const { filePath: path, name = '', size = 1 } = file
      return { id: nextId(), kind, path, name, size, src: kind === 'image' ? path : thumb, file: { ...file, aiDeclared: options().aiLabel && declared } }
    })
    if (mark === 100) mark = 0
    items = items.concat(added)
    added.forEach(start)
    show()
  }

  const nextId = () => { lastId += 1; return lastId }

  function start(item) {
    const { compress, profile } = options()
    done = false
    Object.assign(item, { state: 'uploading', progress: 0, error: null })
    const onProgress = ({ progress }) => follow(item, progress)
    item.task = client().upload({ ...item.file, compress: compress === '' || compress || undefined, profile, onProgress })
    item.ended = item.task.promise.then((value) => succeed(item, value), (error) => fail(item, error))
  }

  function follow(item, progress) {
    const index = items.indexOf(item)
    if (index < 0 || item.state !== 'uploading') return
    item.progress = progress
    renderItem(index, viewOf(item, index))
    tellProgress()
  }

  /** By bytes, never falling; 100 is everything stored. */
  function tellProgress() {
    const sent = items.filter(({ file }) => file)
    const sum = (part) => sent.reduce((all, item) => all + item.size * part(item), 0)
    const isAll = sent.every(({ state, error }) => state !== 'uploading' && !error)
    const progress = Math.min(Math.floor(sum((item) => item.progress) / sum(() => 1)), isAll ? 100 : 99)
    if (!(progress > mark)) return
    mark = progress
    emit('progress', { progress })
  }

  function succeed(item, value) {
    const { key, state, receipt, ticket, aiLabel, compressed, timing } = value
    Object.assign(item, { key, state, receipt, ticket, aiLabel, compressed, timing, value, progress: 100, error: null })
    if (item.removed || left) takeBack(item)
    else settle()
  }

  function fail(item, error) {
    Object.assign(item, { state: 'failed', error })
    if (item.removed || left) return
    tell(error, items.indexOf(item))
    settle()
  }

  function settle() {
    show()
    tellProgress()
    const isQuiet = items.every(({ state, error }) => state !== 'uploading' && !error)
    if (done || !isQuiet || !items.length) return
    done = true
    emit('done', { items: items.map(eventOf) })
  }

  async function retry(id) {
    const item = find(id)
    if (!item || !canRetry(item)) return
    const { ticket } = item.error
    try {
      if (isUnsure(item.error)) {
        const answer = await client().confirm(ticket)
        succeed(item, { ...answer, held: WAITING.includes(answer.state) })
        return
      }
    } catch (error) {
      if (error.code !== 'not_uploaded') {
        fail(item, Object.assign(item.error, { message: error.message }))
        return
      }
    }
    start(item)
    show()
  }

  function remove(id) {
    const item = find(id)
    if (!item || isFixed(item)) return
    release(item)
    items = items.filter((each) => each !== item)
    settle()
  }

  /** What could not be taken back expires by itself. */
  function takeBack({ value, error, submitted }) {
    const mayBeHeld = value ? value.held : error && isUnsure(error)
    if (mayBeHeld && !submitted) uploader.discard(value || error).catch(({ code, detail }) => console.warn(code, detail))
  }

  /** Of a drag: what may not be removed may not be moved. */
  function move(id, to) {
    const from = items.findIndex((item) => item.id === id)
    if (from < 0 || from === to || !(to >= 0 && to < items.length) || isFixed(items[from]) || isFixed(items[to])) return
    const others = items.filter((_, index) => index !== from)
    items = [...others.slice(0, to), items[from], ...others.slice(to)]
    show()
  }

  async function open(id) {
    const item = find(id)
    if (!item) return
    if (item.error) await retry(id)
    else if (item.kind === 'file' && item.path) api.openDocument({ filePath: item.path })
    else await preview(item)
  }

  async function preview(item) {
    const seen = items.filter(({ kind, lost, path, state }) => kind !== 'file' && !lost && (path || /stored|published/.test(state)))
    if (!seen.includes(item)) return
    try {
      const stored = seen.filter(({ path }) => !path).map(({ key }) => key)
      const urls = stored.length ? await read(stored, 'large') : []
      const sources = seen.map(({ path, key, kind, src }) => (
        { url: path || urls[stored.indexOf(key)], type: kind, ...(kind === 'video' && src && { poster: src }) }
      ))
      api.previewMedia({ sources, current: seen.indexOf(item) })
    } catch (error) {
      tell(error)
      show(false)
    }
  }

  /** By a variant, where the profile has one of this name. */
  async function read(keys, variant) {
    try {
      return await client().read(keys, { variant })
    } catch (error) {
      if (error.code !== 'bad_request') throw error
      return client().read(keys)
    }
  }

  /** What exists already comes first, a key or a receipt each; what was uploaded here stays. */
  function setValue(values) {
    const wanted = Array().concat(values || [])
    const kept = items.filter(({ file, key, receipt }) => file || wanted.includes(key) || wanted.includes(receipt))
    const added = wanted.filter((value) => !kept.some(({ key, receipt }) => value === key || value === receipt)).map(storedAs)
    if (!added.length && kept.length === items.length) return undefined
    items = kept.filter(({ file }) => !file).concat(added, kept.filter(({ file }) => file))
    show(false) // the page knows
    restart()
    return showValue()
  }

  function storedAs(value) {
    const isReceipt = /^eyJ[\w-]*\.[\w-]+\.[\w-]+$/.test(value)
    const known = isReceipt ? { receipt: value, state: 'checking', submitted: true } : { key: value, state: 'stored' }
    const kind = isReceipt ? 'image' : kindOf(value)
    return { id: nextId(), kind, progress: 100, size: 0, src: '', name: isReceipt ? '' : value.split('/').pop(), ...known }
  }

  async function showValue() {
    const missing = items.filter(({ file, src, kind, lost, state }) => !file && !src && kind === 'image' && !lost && /stored|published/.test(state))
    if (!missing.length || !(uploader || options().endpoint)) return
    try {
      const urls = await read(missing.map(({ key }) => key), 'thumb')
      missing.forEach((item, index) => { item.src = urls[index] })
      message = ''
    } catch (error) {
      tell(error)
    }
    if (!left) show(false)
  }

  /** The picture is no longer on the phone, or in the bucket. */
  function lose(id) {
    const item = find(id)
    if (item) item.lost = true
    show(false)
  }

  async function submit() {
    submitting = true
    show(false)
    try {
      while (items.some(({ state }) => state === 'uploading')) await Promise.all(items.map(({ ended }) => ended))
      const failed = items.find(({ error }) => error)
      if (failed) throw failed.error
      const answers = await Promise.all(items.map(answerOf))
      if (left) throw new OssUploadError('aborted')
      items.forEach((item) => { item.submitted = true })
      return answers
    } finally {
      submitting = false
      if (!left) show()
      restart()
    }
  }

  async function answerOf(item) {
    if (item.ticket && !item.receipt) Object.assign(item, { receipt: (await client().confirm(item.ticket)).receipt })
    return item.receipt || item.key
  }

  /** Forget everything, for the next time; what is submitted stays submitted. */
  function clear() {
    items.forEach(release)
    ;[items, mark, done, message, declared] = [Array(), 0, true, '', false]
    restart()
    show()
  }

  function release(item) {
    item.removed = true
    if (item.state === 'uploading') item.task.abort()
    else takeBack(item)
  }

  function leave() {
    left = true
    items.forEach(release)
    restart()
  }

  const setShown = (isShown) => { shown = isShown; restart() }

  function restart() {
    wait = FIRST_WAIT
    watch()
  }

  const asked = () => items.filter(({ submitted, receipt, state, refused }) => submitted && receipt && WAITING.includes(state) && !refused)

  /** What waits for a verdict is asked about less and less often, and only while somebody looks. */
  function watch() {
    clearTimeout(timer)
    if (left || !shown || !asked().length) return
    timer = setTimeout(look, wait)
    wait = Math.min(1.6 * wait, LONGEST_WAIT)
  }

  async function look() {
    const waiting = asked()
    try {
      const found = await client().status(waiting.map(({ receipt }) => receipt))
      const before = JSON.stringify(waiting.map(eventOf))
      found.forEach(({ error, ...standing }, index) => Object.assign(waiting[index], error ? { refused: true } : standing))
      if (!left && before !== JSON.stringify(waiting.map(eventOf))) show()
      await showValue()
    } catch ({ code, advice, detail }) {
      console.warn(code, advice, detail) // 过一会儿再问
    }
    watch()
  }

  return { use, choose, declare, open, retry, remove, move, lose, setValue, submit, clear, leave, setShown, show: () => show(false) }
}

/** What a page hears of an item. */
function eventOf({ key, state, progress, error, aiLabel, compressed, timing = Object(error).timing }) {
  const told = error && { code: error.code, message: error.message, retryable: error.retryable }
  return { ...(key && { key }), state, progress, ...(aiLabel !== undefined && { aiLabel }), ...(compressed && { compressed }), ...(timing && { timing }), ...(told && { error: told }) }
}

/** Stored perhaps; the ticket tells. */
const isUnsure = ({ code, ticket }) => !!ticket && /^(unknown_outcome|callback_failed)$/.test(code)

function kindOf(name, mediaType = 'image') {
  if (/\.(mp4|mov|m4v|webm|3gp)$/i.test(name)) return 'video'
  if (/\.(jpe?g|png|gif|webp|heic|bmp)$/i.test(name)) return 'image'
  return mediaType === 'mix' || /\.\w+$/.test(name) ? 'file' : mediaType
}

/** What a developer left out is named; a user can not help it. */
function hintOf({ code, stage, statusCode, advice = '', detail }, { profile, endpoint }) {
  if (code === 'misconfigured' && !statusCode) return detail
  if (code === 'not_found') return /^(read|list|delete)$/.test(stage) ? `用途 ${profile} 缺 ${stage}` : `endpoint 不对${endpoint && `：${endpoint}`}`
  if (code === 'bad_request' && /aiDeclared|ai_label/.test(detail)) return `用途 ${profile} 缺 ai_label`
  const [clause] = advice.split('，见错误码表')
  const hints = { unknown_profile: `profiles.toml 缺用途 ${profile}`, privacy_undeclared: '隐私保护指引缺“选中的照片或视频”' }
  return /^(domain_not_listed|misconfigured|sts_rejected)$/.test(code) ? clause : hints[code]
}

export { createGallery, hintOf }
