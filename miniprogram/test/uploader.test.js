'use strict'

/** The tag <oss-uploader>: every property, method, event and state. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { after, afterEach, before, mock, test } = require('node:test')
const { jsonError, DROP, HANG } = require('./servers')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { hurry, openTags, until, PACKAGE } = require('./stage')
const { addCodec, picture: photoOf } = require('./wx_pictures')

let world
let oss
let fc
let wx
let tag

mock.method(console, 'warn', () => {}) // for the developer

before(async () => {
  world = await openTags({ tickets: true, held: true })
  ;({ oss, fc, wx } = world)
})

after(() => world.stop())

afterEach(async () => {
  if (tag) tag.close()
  tag = null
  wx.platform.connect()
  await until(() => wx.platform.calls.every(({ settled }) => settled))
  oss.plan.length = 0
  for (const answers of Object.values(fc.plan)) answers.length = 0
  for (const list of [wx.previews, wx.sheets]) list.length = 0
  Object.assign(fc.state, { tickets: true, held: true, aiLabel: undefined })
  Object.assign(wx, { choice: 1, requirePrivacyAuthorize: undefined })
})

const open = (properties) => { tag = world.open({ endpoint: fc.origin, profile: 'post', ...properties }); return tag }
/** A test on an open tag: title, properties if any, run(t). */
const onTag = (title, ...rest) => test(title, (t) => { open(...rest.slice(0, -1)); return rest.at(-1)(t) })
const picture = (...args) => world.picture(...args)
const pictures = (...names) => names.map((name) => picture(`${name}.jpg`))
const allAre = (...wanted) => until(() => tag.states().length && tag.states().every((state) => wanted.includes(state)))
const stored = () => allAre('held', 'stored')
const upload = async (...names) => { await tag.choose(...pictures(...names)); await stored() }
const uploadOf = (receipt) => fc.state.uploads.get(receipt)
const failure = (promise) => promise.then((value) => assert.fail(JSON.stringify(value)), (error) => error)
const nameOf = ({ receipt }) => path.basename(uploadOf(receipt).key).replace(/^\d+-/, '')
const lastOf = (list) => list[list.length - 1]
const refusal = (status, code) => jsonError(status, code)

test('pictures are made smaller where the property says so, and the page hears of it', async () => {
  const codec = addCodec(wx, path.dirname(picture('x.jpg').tempFilePath))
  const photo = (name) => {
    const { tempFilePath } = picture(name)
    fs.writeFileSync(tempFilePath, photoOf({ width: 4000, height: 3000, size: 3000000 }))
    return { tempFilePath, size: 3000000, fileType: 'image' }
  }
  open({ compress: true })
  await tag.choose(photo('1.jpg'))
  await stored()
  tag.set({ compress: { maxBytes: 300000 } })
  await tag.choose(photo('2.jpg'))
  await stored()
  const [first, second] = lastOf(tag.heard.done).items.map(({ compressed }) => compressed)
  assert.deepEqual([first.before, second.before, first.type], [3000000, 3000000, 'image/jpeg'])
  assert.deepEqual([first.after <= 1024 ** 2, second.after <= 300000], [true, true])
  tag.set({ compress: false })
  await tag.choose(photo('3.jpg'))
  await stored()
  assert.equal(lastOf(tag.heard.done).items[2].compressed, undefined)
  const tries = codec.calls.length
  tag.instance.use(createUploader({ endpoint: fc.origin, api: wx, compress: true }))
  await tag.choose(photo('4.jpg'))
  await stored()
  assert.ok(codec.calls.length > tries, "the page's own client counts, where the property says nothing")
})

test('nine pictures are uploaded for the profile, shown from the phone, and told to the page, with their times where the phone says them', async (t) => {
  const { uploadFile } = wx
  t.after(() => { wx.uploadFile = uploadFile })
  wx.uploadFile = (options) => uploadFile({ ...options, success: (res) => options.success({ ...res, profile: { rtt: 31, peerIP: '203.0.113.7' } }) })
  open()
  const chosen = pictures(...'123456789')
  await tag.choose(...chosen)
  assert.deepEqual([wx.chosen.count, wx.chosen.mediaType, wx.chosen.sourceType], [9, ['image'], ['album']])
  assert.deepEqual(tag.items().map(({ src }) => src), chosen.map(({ tempFilePath }) => tempFilePath))
  await stored()
  assert.ok(fc.signRequests().every(({ body }) => (body.files || [body]).every(({ profile }) => profile === 'post')))
  const { items } = lastOf(tag.heard.change)
  assert.deepEqual(items.map(({ state, progress }) => [state, progress]), Array(9).fill(['held', 100]))
  assert.ok(items.every(({ key, timing }) => oss.objects.has(key) && timing.rtt === 31 && !timing.peerIP))
  assert.equal(tag.heard.done.length, 1)
  assert.deepEqual(tag.heard.done[0].items, items)
  assert.equal(tag.all('.add').length, 0, 'no room for a tenth')
})

test('a video shows its cover, and only then the code for parts is loaded', async () => {
  const parts = require.resolve('../example/utils/oss-direct-upload/parts')
  assert.equal(require.cache[parts], undefined)
  open({ mediaType: 'video' })
  await tag.choose(picture('film.mp4', 100, { fileType: 'video', thumbTempFilePath: 'cover.jpg' }))
  await stored()
  assert.deepEqual([tag.items()[0].src, tag.items()[0].kind, tag.all('.play').length], ['cover.jpg', 'video', 1])
  await tag.tap('.box')
  assert.deepEqual([wx.previews[0].sources[0].type, wx.previews[0].sources[0].poster], ['video', 'cover.jpg'])
  assert.ok(require.cache[parts])
})

onTag('progress goes from 0 to 100 and never falls, whatever is added on the way', async () => {
  await tag.choose(picture('large.jpg', 400000), picture('small.jpg', 10))
  await until(() => tag.heard.progress.length > 1)
  await tag.choose(picture('more.jpg', 500000))
  await stored()
  const heard = tag.heard.progress.map(({ progress }) => progress)
  assert.deepEqual(heard, [...new Set(heard)].sort((one, other) => one - other))
  assert.equal(lastOf(heard), 100)
  assert.ok(heard.every((each) => Number.isInteger(each) && each >= 0))
})

onTag('pictures come from the camera or the album, as the user says, and from chats', { mediaType: 'mix', max: 40 }, async () => {
  for (const [choice, source] of [[0, ['camera']], [1, ['album']]]) {
    wx.choice = choice
    await tag.choose()
    assert.deepEqual([wx.chosen.sourceType, wx.chosen.mediaType, wx.chosen.count], [source, ['mix'], 20])
  }
  wx.choice = 2
  for (const [mediaType, type] of [['image', 'image'], ['video', 'video'], ['mix', 'all']]) {
    tag.set({ mediaType, max: 9 })
    let asked
    wx.chooseMessageFile = (options) => { asked = options; options.success({ tempFiles: [] }) }
    await tag.instance.choose()
    assert.deepEqual([asked.type, asked.count], [type, 9])
    assert.deepEqual(wx.sheets.at(-1), ['拍摄', '从相册选择', '从聊天中选择'])
  }
})

onTag('a chat file keeps its name, has no thumbnail, and opens on a tap', { mediaType: 'mix' }, async () => {
  wx.choice = 2
  const { tempFilePath } = picture('tmp_1.pdf')
  wx.chooseMessageFile = ({ success }) => success({ tempFiles: [{ path: tempFilePath, name: '合同.pdf', size: 100, type: 'file' }] })
  await tag.instance.choose()
  await stored()
  assert.deepEqual([tag.texts('.paper-name'), tag.all('.picture').length], [['合同.pdf'], 1])
  assert.equal(fc.signRequests().at(-1).body.filename, '合同.pdf')
  let opened
  wx.openDocument = (options) => { opened = options.filePath }
  await tag.tap('.box')
  assert.equal(opened, tempFilePath)
})

onTag('max and columns hold; disabled takes and removes nothing', { max: 2, columns: 4 }, async () => {
  await tag.choose(...pictures('a', 'b', 'c'))
  await stored()
  assert.equal(tag.items().length, 2)
  assert.match(tag.all('.cell')[0].dom.getAttribute('style'), /25%/)
  tag.set({ max: 3 })
  await until(() => tag.all('.add').length === 1)
  tag.set({ disabled: true })
  await until(() => tag.all('.add').length === 0)
  assert.equal(tag.all('.cross').length, 0)
  await tag.choose(picture('late.jpg'))
  assert.equal(tag.items().length, 2)
})

onTag('texts replace words and errors', { texts: { add: '加图', forbidden: '请先认证。' } }, async () => {
  assert.match(tag.texts('.hint')[0], /^加图 0\/9$/)
  fc.plan.sign.push(refusal(403, 'forbidden'))
  await tag.choose(picture('no.jpg'))
  await allAre('failed')
  assert.deepEqual(tag.texts('.reason'), ['请先认证。'])
})

test('values are shown through /read, first in the order, and submitted as their keys', async () => {
  const value = ['posts/me/old-1.jpg', 'posts/me/old-2.jpg']
  open({ value })
  await until(() => tag.items().every(({ src }) => src))
  assert.match(tag.items()[0].src, /old-1\.jpg\?x-oss-process=thumb$/)
  await upload('new')
  await tag.tap('.box', 2)
  await until(() => wx.previews.length)
  assert.deepEqual([wx.previews[0].current, wx.previews[0].sources.map(({ url }) => path.basename(url))[2]], [2, 'new.jpg'])
  const answers = await tag.submit()
  assert.deepEqual(answers.slice(0, 2), value)
  assert.equal(nameOf({ receipt: answers[2] }), 'new.jpg')
})

onTag('a value that changes keeps what was uploaded, and its picture may be removed', { value: ['a.jpg', 'b.jpg'] }, async () => {
  await upload('mine')
  tag.set({ value: ['b.jpg', 'c.jpg'] })
  await until(() => tag.items()[1].name === 'c.jpg')
  assert.deepEqual(tag.items().map(({ name }) => name).slice(0, 2), ['b.jpg', 'c.jpg'])
  const discards = fc.requestsTo('discard').length
  await tag.tap('.cross', 1)
  assert.deepEqual(lastOf(tag.heard.change).items.map(({ key }) => path.basename(key)).slice(0, 1), ['b.jpg'])
  assert.equal(fc.requestsTo('discard').length, discards, 'nothing of the business is deleted here')
})

test('a value may be a receipt: its state is shown, its picture once it is published', async (t) => {
  hurry(t)
  const receipts = ['eyJ.good.s', 'eyJ.bad.s']
  receipts.forEach((receipt, index) => fc.state.uploads.set(receipt, { key: `posts/me/${index}.jpg`, state: 'checking', url: null }))
  open({ value: receipts, disabled: true })
  assert.deepEqual(tag.texts('.mark'), ['审核中', '审核中'])
  await tag.tap('.box')
  assert.equal(wx.previews.length, 0, 'there is nothing to see yet')
  uploadOf(receipts[0]).state = 'published'
  uploadOf(receipts[1]).state = 'rejected'
  await until(() => tag.items()[0].src)
  assert.deepEqual(tag.texts('.mark'), ['未通过'])
  assert.match(tag.items()[0].src, /posts\/me\/0\.jpg\?x-oss-process=thumb$/)
  assert.deepEqual(await tag.submit(), receipts)
  tag.set({ value: [...receipts] })
  assert.equal(tag.items().length, 2)
})

test('a profile without the variant shows the pictures as they are', async () => {
  fc.plan.read.push(refusal(400, 'bad_request'))
  open({ value: ['plain.jpg'] })
  await until(() => tag.items()[0].src)
  assert.match(tag.items()[0].src, /plain\.jpg\?x-oss-process=null$/)
})

onTag('a picture that is gone is a place that says so, and stays out of the preview', { value: ['gone.jpg', 'there.jpg'] }, async () => {
  await until(() => tag.all('image').length || tag.all('.picture').length === 2)
  await until(() => tag.items().every(({ src }) => src))
  tag.instance.lose({ currentTarget: { dataset: { id: tag.items()[0].id } } })
  assert.deepEqual([tag.texts('.mark'), tag.items()[0].src], [['打不开了'], ''])
  await tag.instance.open({ currentTarget: { dataset: { id: tag.items()[1].id } } })
  assert.deepEqual(wx.previews[0].sources.map(({ url }) => url), [`${oss.origin}/there.jpg?x-oss-process=large`])
  await tag.instance.open({ currentTarget: { dataset: { id: tag.items()[0].id } } })
  assert.equal(wx.previews.length, 1)
})

for (const [title, plan, properties, message] of [
  ['read', ['read', 404, 'not_found'], { value: ['unread.jpg'] }, '用途 post 缺 read'],
  ['of its own address', ['sign', 404, 'not_found'], {}, null],
  ['a profile', ['sign', 400, 'unknown_profile'], {}, 'profiles.toml 缺用途 post'],
  ['a setting', ['sign', 500, 'misconfigured'], {}, '函数的设置有误，部署前运行 make check-deploy'],
  ['the right to assume its role', ['sign', 502, 'sts_rejected'], {}, '函数扮演不了 STS_ROLE_ARN 的角色，运行 manage.py doctor'],
]) {
  test(`a missing option is named to the developer: ${title}`, async () => {
    const [route, status, code] = plan
    fc.plan[route].push(refusal(status, code))
    open(properties)
    if (route === 'sign') await tag.choose(picture('x.jpg'))
    await until(() => tag.heard.fail.length)
    assert.equal(tag.heard.fail[0].message, message || `endpoint 不对：${fc.origin}`)
    assert.equal(tag.heard.fail[0].code, code)
  })
}

onTag('a client of the page that has a wrong address is named without one', { endpoint: '' }, async () => {
  tag.instance.use(require('../example/utils/oss-direct-upload').createUploader({ endpoint: fc.origin, api: wx }))
  fc.plan.sign.push(refusal(404, 'not_found'))
  await tag.choose(picture('x.jpg'))
  await until(() => tag.heard.fail.length)
  assert.equal(tag.heard.fail[0].message, 'endpoint 不对')
})

onTag('a tag without an endpoint says so', { endpoint: '' }, async () => {
  await tag.instance.choose()
  assert.deepEqual([tag.heard.fail[0].code, tag.texts('.message')], ['misconfigured', ['<oss-uploader> 缺 endpoint']])
})

test('all tags of one address log in once', async () => {
  wx.removeStorageSync(`oss-direct-upload ${fc.origin}/`)
  const logins = fc.requestsTo('login').length
  const tags = ['one', 'two', 'three'].map((name) => world.open({ endpoint: `${fc.origin}/`, value: [`${name}.jpg`] }))
  await until(() => tags.every(({ items }) => items()[0].src))
  assert.equal(fc.requestsTo('login').length, logins + 1)
  tags.forEach(({ close }) => close())
})

test('use() takes a client of the page', async () => {
  const { createUploader } = require('../example/utils/oss-direct-upload')
  open({ endpoint: '', value: ['old.jpg'] })
  const told = []
  tag.instance.use(createUploader({ endpoint: fc.origin, api: wx, getToken: () => { told.push(1); return 'mine' } }))
  await until(() => tag.items()[0].src)
  await upload('own')
  assert.ok(told.length >= 2)
})

onTag('closing the picker is no failure, another one is told and shown', async () => {
  wx.chooseMedia = ({ fail }) => fail({ errMsg: 'chooseMedia:fail cancel' })
  await tag.instance.choose()
  assert.deepEqual([tag.heard.fail, tag.texts('.message')], [[], []])
  wx.chooseMedia = ({ fail }) => fail({ errMsg: 'chooseMedia:fail auth deny' })
  await tag.instance.choose()
  assert.deepEqual(tag.heard.fail, [{ code: 'permission_denied', message: '没有得到授权，请在设置中允许。' }])
  assert.deepEqual(tag.texts('.message'), ['没有得到授权，请在设置中允许。'])
  await upload('fine')
  assert.deepEqual(tag.texts('.message'), [])
})

onTag("WeChat's privacy prompt comes before the picker; who refuses picks nothing", async () => {
  const order = []
  wx.requirePrivacyAuthorize = ({ success }) => { order.push('privacy'); success() }
  wx.chooseMedia = ({ success }) => { order.push('pick'); success({ tempFiles: [] }) }
  await tag.instance.choose()
  assert.deepEqual(order, ['privacy', 'pick'])
  wx.requirePrivacyAuthorize = ({ fail }) => fail({ errMsg: 'requirePrivacyAuthorize:fail privacy permission is not authorized', errno: 104 })
  await tag.instance.choose()
  assert.deepEqual([order.length, tag.heard.fail[0].code], [2, 'permission_denied'])
})

onTag('users are told once before the first upload, where the page has words for it', { texts: { notice: '图片会上传并接受审核。' } }, async () => {
  const dialogs = []
  let confirm = false
  wx.showModal = (options) => { dialogs.push(options.content); options.success({ confirm }) }
  await tag.choose(picture('a.jpg'))
  assert.deepEqual([dialogs, tag.items()], [['图片会上传并接受审核。'], []])
  confirm = true
  await tag.choose(picture('a.jpg'))
  await tag.choose(picture('b.jpg'))
  assert.deepEqual([dialogs.length, tag.items().length], [2, 2])
  await stored()
})

test('a failure is one sentence on its picture, with its place for the page; a tap tries again where that helps', async (t) => {
  hurry(t)
  open()
  await upload('good')
  oss.plan.push(...Array(3).fill({ status: 503, body: '<Error><Code>ServiceUnavailable</Code></Error>' }))
  await tag.choose(picture('busy.jpg'))
  await until(() => tag.states()[1] === 'failed')
  assert.deepEqual([tag.texts('.reason'), tag.texts('.again')], [['服务正忙，请稍后再试。'], ['重试']])
  assert.deepEqual(tag.heard.fail, [{ code: 'oss_unavailable', message: '服务正忙，请稍后再试。', index: 1 }])
  const { error } = lastOf(tag.heard.change).items[1]
  assert.deepEqual(error, { code: 'oss_unavailable', message: '服务正忙，请稍后再试。', retryable: true })
  assert.equal(tag.heard.done.length, 1, 'and the rest is not all')
  assert.ok(lastOf(tag.heard.progress).progress < 100)
  await tag.tap('.box', 1)
  await stored()
  assert.equal(tag.heard.done.length, 2)
})

onTag('what can not pass offers no other try', async () => {
  fc.plan.sign.push({ status: 413, body: { error: { code: 'too_large', message: 'm', requestId: 'r', limits: { maxSize: 10 * 1024 ** 2 } } } })
  await tag.choose(picture('large.jpg'))
  await allAre('failed')
  assert.deepEqual([tag.texts('.reason'), tag.texts('.again')], [['文件太大，最大 10 MB。'], []])
  const signs = fc.signRequests().length
  await tag.tap('.box')
  assert.equal(fc.signRequests().length, signs)
})

for (const store of [true, false]) {
  test(`an outcome that nobody knows is looked up on a tap: ${store ? 'it is there' : 'it may be sent again'}`, async (t) => {
    hurry(t)
    fc.state.life = 5
    t.after(() => { fc.state.life = 300 })
    open()
    oss.plan.push({ drop: true, store })
    fc.plan.confirm.push(DROP, DROP, DROP)
    await tag.choose(picture(`lost-${store}.jpg`))
    await allAre('failed')
    const posts = oss.posts.length
    await tag.tap('.box')
    await stored()
    assert.equal(oss.posts.length, posts + !store)
  })
}

onTag('removing cancels what is under way, discards what is held, and is done when nothing failed', async () => {
  oss.plan.push(HANG)
  await tag.choose(picture('slow.jpg'))
  await until(() => oss.posts.length && fc.signRequests().length)
  assert.match(tag.items()[0].label, /^图片 1\/1，上传中 \d+%$/)
  await tag.choose(picture('keep.jpg'), picture('drop.jpg'))
  await until(() => tag.states().slice(1).every((state) => state === 'held'))
  assert.equal(tag.heard.done.length, 0)
  await tag.tap('.cross', 0)
  assert.equal(tag.heard.done.length, 1)
  assert.deepEqual(tag.heard.fail, [])
  const discards = fc.requestsTo('discard').length
  await tag.tap('.cross', 1)
  await until(() => fc.requestsTo('discard').length > discards)
  const { receipt } = fc.requestsTo('discard').at(-1).body
  await until(() => uploadOf(receipt).state === 'gone')
  assert.equal(nameOf({ receipt }), 'drop.jpg')
  assert.deepEqual([tag.items().map(({ src }) => path.basename(src)), tag.heard.done.length], [['keep.jpg'], 1])
})

onTag('leaving the page aborts what is under way and discards what was not submitted', async () => {
  await upload('sent')
  const [sent] = await tag.submit()
  tag.close()
  open()
  await upload('left')
  oss.plan.push(HANG)
  const posts = oss.posts.length
  await tag.choose(picture('slow.jpg'))
  await until(() => oss.posts.length > posts)
  const submitted = failure(tag.submit())
  tag.close()
  const error = await submitted
  assert.equal(error.code, 'aborted')
  await until(() => wx.platform.calls.every(({ settled }) => settled))
  const gone = [...fc.state.uploads].filter(([, { state }]) => state === 'gone').map(([receipt]) => nameOf({ receipt }))
  assert.ok(gone.includes('left.jpg'))
  assert.equal(uploadOf(sent).state, 'held')
  tag = null
})

onTag('a page that is left while it submits gets no receipts', async () => {
  fc.plan.confirm.push(refusal(403, 'forbidden'))
  await upload('late')
  const submitted = failure(tag.submit())
  tag.close()
  assert.equal((await submitted).code, 'aborted')
  tag = null
})

onTag('submit waits for what is under way, and gives the receipts in the order shown', async () => {
  await tag.choose(...pictures('a', 'b', 'c'))
  const early = tag.submit()
  assert.deepEqual([tag.all('.cross').length, tag.all('.add').length], [0, 0], 'nothing changes meanwhile')
  assert.deepEqual((await early).map((receipt) => nameOf({ receipt })), ['a.jpg', 'b.jpg', 'c.jpg'])
  assert.equal(tag.all('.cross').length, 0)
  assert.deepEqual(await tag.submit(), await early, 'as often as the page likes')
})

onTag('a dragged picture is submitted where it was dropped', { value: ['old.jpg'] }, async () => {
  await upload('a', 'b', 'c')
  const grid = { left: 10, top: 20, width: 300 }
  const query = { select: () => query, boundingClientRect: (call) => { call(grid); return query }, exec() {} }
  tag.instance.createSelectorQuery = () => query
  const { id } = tag.items()[3]
  const at = (clientX, clientY) => tag.instance.move({ touches: [{ clientX, clientY }] })
  at(20, 30)
  assert.equal(tag.items()[3].id, id, 'not before it was lifted')
  tag.instance.lift({ currentTarget: { dataset: { id } } })
  await until(() => tag.all('.cell-lifted').length === 1)
  at(150, 60)
  at(15, 25)
  at(-5, 25)
  at(290, 900)
  at(15, 25)
  tag.instance.drop()
  assert.equal(tag.all('.cell-lifted').length, 0)
  const answers = await tag.submit()
  assert.deepEqual([nameOf({ receipt: answers[0] }), answers[1]], ['c.jpg', 'old.jpg'])
  assert.equal(lastOf(tag.heard.change).items[1].key, 'old.jpg')
  tag.instance.lift({ currentTarget: { dataset: { id, fixed: true } } })
  assert.equal(tag.instance.data.lifted, 0, 'what is submitted stays where it is')
  tag.set({ lifted: id })
  at(290, 60)
  assert.equal(tag.items()[0].id, id)
})

onTag('submit rejects with the first error, and what failed may be removed or tried again', async () => {
  const refused = (code) => ({ status: 413, body: { error: { code, message: 'm', requestId: 'r' } } })
  fc.plan.sign.push(refused('too_large'), refused('too_large'), refused('unsupported_type'))
  await tag.choose(...pictures('one', 'two'))
  const error = await failure(tag.submit())
  assert.deepEqual([error.name, error.code], ['OssUploadError', 'too_large'])
  assert.equal(tag.all('.cross').length, 2)
  await tag.tap('.cross', 0)
  assert.equal((await failure(tag.submit())).code, 'unsupported_type')
})

test('a profile without receipts gives keys, and nothing is asked afterwards', async (t) => {
  Object.assign(fc.state, { tickets: false, held: false })
  const waits = hurry(t)
  open()
  await upload('plain')
  const [key] = await tag.submit()
  assert.equal(key, lastOf(tag.heard.change).items[0].key)
  assert.equal(waits.filter((wait) => wait === 1000).length, 0)
  const discards = fc.requestsTo('discard').length
  tag.close()
  tag = null
  await until(() => wx.platform.calls.every(({ settled }) => settled))
  assert.equal(fc.requestsTo('discard').length, discards)
})

onTag('what could not be confirmed is confirmed when it is submitted; if that fails, submit says so', async () => {
  fc.plan.confirm.push(refusal(403, 'forbidden'), refusal(403, 'forbidden'))
  await upload('later')
  assert.equal((await failure(tag.submit())).code, 'forbidden')
  assert.equal(tag.all('.cross').length, 1)
  const [receipt] = await tag.submit()
  assert.equal(nameOf({ receipt }), 'later.jpg')
})

test('after submit the state is asked for after a second and then less and less often, until it is decided', async (t) => {
  const waits = hurry(t)
  open()
  await upload('good', 'bad')
  assert.deepEqual(tag.texts('.mark'), [], 'before it nothing is said')
  const receipts = await tag.submit()
  assert.deepEqual(tag.texts('.mark'), ['审核中', '审核中'])
  await until(() => waits.filter((wait) => wait === 45000).length > 1)
  assert.deepEqual(waits.filter((wait) => wait >= 1000).slice(0, 11), [1000, 1600, 2560, 4096, 6554, 10486, 16777, 26844, 42950, 45000, 45000])
  uploadOf(receipts[1]).state = 'rejected'
  await until(() => tag.texts('.mark').join() === '审核中,未通过')
  uploadOf(receipts[0]).state = 'published'
  await until(() => tag.texts('.mark').join() === '未通过')
  assert.deepEqual(lastOf(tag.heard.change).items.map(({ state }) => state), ['published', 'rejected'])
  assert.equal(tag.all('.cross').length, 0)
  const asked = fc.requestsTo('status').length
  await new Promise((resolve) => { setTimeout(resolve, 100000) })
  assert.equal(fc.requestsTo('status').length, asked)
})

test('nobody is asked while the page is hidden', async (t) => {
  hurry(t)
  open()
  await upload('away')
  const [receipt] = await tag.submit()
  tag.tag.triggerPageLifeTime('hide')
  await until(() => wx.platform.calls.every(({ settled }) => settled))
  const asked = fc.requestsTo('status').length
  await new Promise((resolve) => { setTimeout(resolve, 5000) })
  assert.equal(fc.requestsTo('status').length, asked)
  uploadOf(receipt).state = 'rejected'
  tag.tag.triggerPageLifeTime('show')
  await until(() => tag.texts('.mark').join() === '未通过')
})

test('a question that fails is asked again, a receipt that is refused is not', async (t) => {
  hurry(t)
  open()
  await upload('old', 'good')
  const receipts = await tag.submit()
  fc.plan.status.push(DROP, DROP, DROP)
  fc.state.uploads.delete(receipts[0])
  uploadOf(receipts[1]).state = 'published'
  await until(() => tag.texts('.mark').length === 1)
  const asked = fc.requestsTo('status').length
  await new Promise((resolve) => { setTimeout(resolve, 100000) })
  assert.equal(fc.requestsTo('status').length, asked)
  assert.deepEqual(tag.heard.fail, [])
})

onTag('clear() begins anew: what was submitted stays, what was not is discarded', async () => {
  await upload('sent')
  const [sent] = await tag.submit()
  await tag.choose(picture('late.jpg'))
  assert.deepEqual([tag.items().length, tag.all('.add').length], [1, 0], 'nothing joins what is submitted')
  tag.instance.clear()
  assert.deepEqual([tag.items(), tag.all('.add').length], [[], 1])
  await upload('draft')
  tag.instance.clear()
  await until(() => [...fc.state.uploads].some(([receipt, { state }]) => nameOf({ receipt }) === 'draft.jpg' && state === 'gone'))
  assert.equal(uploadOf(sent).state, 'held')
  await upload('next')
  assert.equal(lastOf(tag.heard.progress).progress, 100)
})

test('large text makes the words larger, within bounds', async () => {
  for (const [facts, scale] of [[{ fontSizeScaleFactor: 1.4 }, 1.4], [{ fontSizeSetting: 34 }, 1.75], [{}, 1]]) {
    wx.getAppBaseInfo = () => facts
    open({ columns: 4 })
    assert.deepEqual([tag.instance.data.scale, tag.instance.data.across], [scale, scale > 1.3 ? 3 : 4])
    tag.close()
  }
  tag = null
})

test('everything that can be tapped has a role and a label, and every handler exists', async () => {
  const wxml = fs.readFileSync(`${PACKAGE}/uploader/uploader.wxml`, 'utf8')
  const tapped = [...wxml.matchAll(/<view[^>]*(?:bind|catch)tap="\w+"[^>]*>/g)].map(([each]) => each)
  assert.equal(tapped.length, 4)
  tapped.forEach((each) => assert.match(each, /aria-role="(button|checkbox" aria-checked="{{declared}})" aria-label="/))
  assert.match(wxml, /aria-role="alert"/)
  open()
  const handlers = [...wxml.matchAll(/(?:bind|catch)\w+="(?:\{\{.*')?(\w+)(?:' : ''\}\})?"/g)].map(([, name]) => name)
  assert.ok(handlers.length >= 8)
  handlers.forEach((name) => assert.equal(typeof tag.instance[name], 'function', name))
  const wxss = fs.readFileSync(`${PACKAGE}/uploader/uploader.wxss`, 'utf8')
  assert.match(wxss, /prefers-color-scheme: dark/)
  for (const name of ['custom-class', 'item-class', 'add-class']) assert.match(wxml, new RegExp(`class="[^"]*${name}`))
})

// --- labels of AI-made content

const DECLARED = { label: 2, source: 'declared' }
const FOUND = { label: 1, source: 'metadata', producer: '<b>x</b>', produceId: 'img-42', digitalSourceType: null, c2pa: false }
const onLabelled = (title, ...rest) => onTag(title, { aiLabel: true, ...(rest.length > 1 && rest[0]) }, rest.at(-1))
const notices = () => tag.items().map(({ aiNotice }) => aiNotice)

onLabelled('the tick holds for what is chosen after it, and until it is taken off', async () => {
  assert.match(tag.texts('.tick')[0], /^含 AI 生成内容/)
  await upload('before')
  await tag.tap('.tick')
  assert.equal(tag.all('.tick-on').length, 1)
  await upload('one', 'two')
  await tag.tap('.tick')
  await upload('after')
  assert.deepEqual(notices(), ['', '可能为 AI 生成合成内容', '可能为 AI 生成合成内容', ''])
  assert.deepEqual(tag.texts('.notice'), ['可能为 AI 生成合成内容', '可能为 AI 生成合成内容'])
  assert.equal(tag.items()[1].label, '图片 2/4，已上传，可能为 AI 生成合成内容')
  assert.deepEqual(tag.heard.change.at(-1).items.map(({ aiLabel }) => aiLabel), [undefined, DECLARED, DECLARED, undefined])
  await tag.tap('.tick')
  tag.instance.clear()
  assert.equal(tag.all('.tick-on').length, 0)
})

for (const [aiLabel, notice] of [
  [FOUND, '属于 AI 生成合成内容'], [{ label: 3, source: 'reviewed' }, '疑似 AI 生成合成内容'],
  [null, ''], [{ label: null, problem: 'unreadable' }, ''], ...['1', 4, 0, -1, 'length', '__proto__', {}].map((label) => [{ label, source: 'metadata' }, '']),
]) {
  onLabelled(`the number alone decides what is shown: ${JSON.stringify(aiLabel)} as "${notice}"`, async () => {
    Object.assign(fc.state, { aiLabel })
    await upload('any')
    assert.deepEqual([notices(), tag.texts('.notice')], [[notice], notice ? [notice] : []])
  })
}

onLabelled('without ai-label there is neither tick nor notice; a tag that takes no more has no tick', { aiLabel: false }, async () => {
  Object.assign(fc.state, { aiLabel: FOUND })
  await upload('quiet')
  assert.deepEqual([tag.all('.tick').length, tag.all('.notice').length], [0, 0])
  tag.set({ aiLabel: true, max: 1 })
  assert.deepEqual([tag.all('.tick').length, tag.texts('.notice')], [0, ['属于 AI 生成合成内容']])
})

onLabelled('the words can be replaced', { texts: { aiDeclare: '我用了 AI', aiScope: '', aiMaybe: 'AI 生成？' } }, async () => {
  assert.deepEqual(tag.texts('.tick'), ['我用了 AI'])
  await tag.tap('.tick')
  await upload('any')
  assert.deepEqual(tag.texts('.notice'), ['AI 生成？'])
})

onLabelled('a label that is found later is shown when its state is asked for', async (t) => {
  hurry(t)
  await upload('later')
  const [receipt] = await tag.submit()
  assert.deepEqual(tag.texts('.notice'), [])
  fc.state.uploads.get(receipt).aiLabel = { label: 3, source: 'reviewed' }
  await until(() => tag.texts('.notice').join() === '疑似 AI 生成合成内容')
  assert.deepEqual(tag.texts('.mark'), ['审核中', '疑似 AI 生成合成内容'])
})

onLabelled('a profile without ai_label is named to the developer', async () => {
  fc.plan.sign.push(jsonError(400, 'bad_request', 'aiDeclared needs ai_label = true in the profile'))
  await tag.tap('.tick')
  await tag.choose(picture('any.jpg'))
  await until(() => tag.heard.fail.length)
  assert.equal(tag.heard.fail[0].message, '用途 post 缺 ai_label')
})
