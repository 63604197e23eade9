/** Everything the page says, in both languages. */

import { sizeText } from '/client/errors.mjs'
import { inBoth } from './elements.js'

const size = (count) => (count ? sizeText(count) : '0 B')
const exact = (count) => count.toLocaleString('en')
/** A size as a profile has it, in bytes or such as 2MiB. */
const most = (maxSize) => (typeof maxSize === 'number' ? size(maxSize) : maxSize.replace(/ ?([KMG])iB$/, ' $1B'))

/** The name of a profile, with what people call it in front. */
export const labelOf = ({ name, title }) => (title ? `${title} · ${name}` : name)

export const TEXTS = inBoth({
  language: ['zh-CN', 'en'],
  title: ['直传 OSS 演练场', 'OSS direct upload playground'],
  subtitle: ['全部由运行 make run 的电脑模拟，不需要云账号。', 'All emulated by the computer that runs make run; no cloud account is needed.'],
  deployment: [
    (isDemo) => (isDemo ? '用的是示例 local/demo/，不是你的文件。' : '用的是你的 profiles.toml，还没有就用 profiles.example.toml；改了它，刷新本页。'),
    (isDemo) => (isDemo ? 'With the samples of local/demo/, not your own files.' : 'With your profiles.toml, or profiles.example.toml without one; after a change, reload this page.'),
  ],
  otherLanguage: ['English', '中文'],
  chooseTitle: ['选一个文件，直接传到 OSS', 'Choose a file and post it straight to OSS'],
  dropHere: ['点这里选一个文件，也可以拖过来', 'Choose a file, or drop one here'],
  dropHint: ['文件只留在那台电脑上', 'It stays on that computer'],
  useSample: ['用示例图片', 'Sample picture'],
  profile: ['用途', 'Profile'],
  caller: ['调用者', 'Caller'],
  profileFacts: [
    ({ maxSize, contentTypes, callback, confirm }) => (
      `最大 ${most(maxSize)}；类型 ${contentTypes.join('、')}；${confirm ? 'OSS 确认后给出回执' : callback ? 'OSS 回调后给出回执' : '没有回执'}`
    ),
    ({ maxSize, contentTypes, callback, confirm }) => (
      `At most ${most(maxSize)}; ${contentTypes.join(', ')}; ${confirm ? 'a receipt once OSS confirms' : callback ? 'a receipt by callback' : 'no receipt'}`
    ),
  ],
  upload: ['上传', 'Upload'],
  cancel: ['取消', 'Cancel'],
  sending: [(progress) => `正在上传 ${progress}%`, (progress) => `Uploading ${progress}%`],
  signing: ['正在向函数要表单…', 'Asking the function for a form…'],
  uploaded: ['上传完成', 'Uploaded'],
  cancelled: ['已取消', 'Cancelled'],
  tamperTitle: ['改坏表单，看 OSS 怎样拒绝', 'Tamper with the form and see OSS refuse it'],
  tamperHint: ['每个按钮都先要一张好表单，只改一处再发出去。签名里写死的，改了就传不上去。', 'Each button asks for a good form, changes one thing and posts it. What the signature pins cannot be changed.'],
  otherKey: ['换个对象名', 'Other key'],
  otherType: ['换个类型', 'Other type'],
  tooLarge: ['文件变大', 'Larger file'],
  expired: ['表单过期', 'Expired'],
  noToken: ['去掉令牌', 'No token'],
  publicAcl: ['设为公开读', 'Public ACL'],
  otherPolicy: ['改写 policy', 'Edited policy'],
  attempt: [(title, how) => `${title}：${how}`, (title, how) => `${title}: ${how}`],
  refused: ['被拒绝', 'Refused'],
  stored: ['存下了', 'Stored'],
  renewed: ['表单过期后，客户端自动换了一张新表单，上传成功。', 'After the refusal the client took a fresh form by itself, and the upload succeeded.'],
  expiredHow: ['让本机 OSS 把这张表单当作已过期', 'the local OSS treats this form as expired'],
  otherPolicyHow: ['把 policy 里的大小上限改成 5 GB，签名不变', 'the size limit in the policy becomes 5 GB, under the same signature'],
  tooLargeHow: ['在文件末尾多发 1 个字节', 'one more byte at the end of the file'],
  removed: [(field) => `不发送 ${field}`, (field) => `${field} is not sent`],
  changed: [(field, value) => `${field} 改为 ${value}`, (field, value) => `${field} becomes ${value}`],
  stepForm: ['函数签好的表单', 'The signed form'],
  stepPolicy: ['policy：这张表单能做什么', 'The policy: what it allows'],
  stepObject: ['OSS 中的对象', 'The object in OSS'],
  stepReceipt: ['回执', 'The receipt'],
  stepReading: ['看图：预签名 URL', 'Showing it: a signed URL'],
  nothingYet: ['还没有，先上传一个文件', 'Nothing yet; upload a file first'],
  fields: [(count) => `${count} 个字段，file 最后`, (count) => `${count} fields, file last`],
  until: [(time) => `有效到 ${time}`, (time) => `valid until ${time}`],
  conditions: [(count) => `${count} 个条件`, (count) => `${count} conditions`],
  noReceipt: ['这个用途既不确认也不回调，所以没有回执。', 'This profile neither confirms nor has a callback, so there is no receipt.'],
  seenHint: ['seen: true：函数问过 OSS，对象确实在，大小和类型都对；不是听上传者说的。', 'seen: true, because the function asked OSS: the object is there, of that size and type. It is not the word of who uploaded it.'],
  unseenHint: ['seen: false：来自 OSS 的回调，函数没有再去问 OSS。', 'seen: false, for it came with the callback of OSS; the function did not ask OSS again.'],
  receiptHint: [
    '函数用 RECEIPT_SECRET（没设就是 TOKEN_SECRET）签名，业务后端离线验证；不要相信没有验证过的回执。',
    'Signed by the function with RECEIPT_SECRET, or TOKEN_SECRET without one; your backend verifies it offline. Trust no receipt that was not verified.',
  ],
  key: ['对象名', 'Key'],
  address: ['地址', 'Address'],
  sizeName: ['大小', 'Size'],
  type: ['类型', 'Type'],
  size,
  bytes: [(count) => `${size(count)}（${exact(count)} 字节）`, (count) => `${size(count)} (${exact(count)} bytes)`],
  time: [(date) => date.toLocaleTimeString('zh-CN'), (date) => date.toLocaleTimeString('en')],
  open: ['打开', 'Open'],
  signedHint: ['（对象是私有的：这个地址带签名，15 分钟内有效）', '(the object is private: this address is signed and good for 15 minutes)'],
  noReading: ['这个用途没有打开 read，或者这个文件不是图片。', 'This profile is not open for reading, or the file is no picture.'],
  original: ['原图', 'as it is'],
  readingHint: ['对象是私有的，只有带签名的 URL 能看到它，而且只能看到这一种样子。', 'The object is private: nothing but a signed URL shows it, and only in this form.'],
  serverLost: ['连不上本机的服务，请确认 make run 还在运行。', 'The local services do not answer. Is make run still running?'],
  rules: {
    bucket: [(value) => `只能传到桶 ${value}`, (value) => `only into bucket ${value}`],
    key: [() => '对象名由函数决定，改一个字都不行', () => 'the function chose the key; not one letter can differ'],
    'content-length-range': [
      (low, high) => (low === high ? `必须正好 ${size(low)}（${exact(low)} 字节）` : `${size(low)} 到 ${size(high)}`),
      (low, high) => (low === high ? `exactly ${size(low)} (${exact(low)} bytes)` : `${size(low)} to ${size(high)}`),
    ],
    success_action_status: [(value) => `成功时 OSS 返回 ${value}`, (value) => `OSS answers ${value} on success`],
    'x-oss-content-type': [(value) => `存为 ${value}，与手机怎么说无关`, (value) => `stored as ${value}, whatever the phone says`],
    'x-oss-forbid-overwrite': [
      (value) => (value === 'true' ? '不能覆盖已有的对象，重试也不会存两份' : '可以覆盖已有的对象'),
      (value) => (value === 'true' ? 'replaces no object, so a retry never stores twice' : 'may replace an object'),
    ],
    'x-oss-object-acl': [
      (value) => (value === 'public-read' ? '对象公开可读' : '权限跟随桶，客户端不能改成公开'),
      (value) => (value === 'public-read' ? 'everybody may read the object' : 'rights of the bucket; a client cannot make it public'),
    ],
    'x-oss-security-token': [() => '必须带上 STS 的安全令牌，它只能往这几个目录写', () => 'the STS token must come along; it can write to these folders only'],
    'x-oss-signature-version': [() => '签名版本 V4', () => 'signature version 4'],
    'x-oss-credential': [() => '签名所用的临时访问凭证、日期与地域', () => 'temporary key, day and region of the signature'],
    'x-oss-date': [() => '签名的时间', () => 'time of the signature'],
    'cache-control': [(value) => `下载时的缓存方式：${value}`, (value) => `cached on download: ${value}`],
    'content-disposition': [(value) => `下载时的处理方式：${value}`, (value) => `handled on download: ${value}`],
    'x-oss-storage-class': [(value) => `存储类型 ${value}`, (value) => `storage class ${value}`],
    callback: [() => '上传后 OSS 必须通知函数，地址与内容都改不了', () => 'OSS must tell the function after the upload; address and text are fixed'],
  },
  otherRule: [(field) => `${field} 必须是这个值`, (field) => `${field} must have this value`],
  inParts: [
    '大文件分片上传，不用表单：每一片有自己的预签名 URL，只能传这一片。',
    'A large file goes in parts, without a form: each part has a signed URL of its own, for this part only.',
  ],

  // Held pictures

  heldTitle: ['暂存：先审后发', 'Held until it may be seen'],
  heldHint: [
    '图片先存在 held/ 下，其他人看不到；业务后端提交之后送审，通过了才有自己的 key。',
    'A picture is first stored under held/, where nobody else sees it; the business commits it, it is checked, and then it gets its own key.',
  ],
  heldOther: [(name, steps) => `${name}（${steps}）`, (name, steps) => `${name} (${steps})`],
  ownPicture: ['选图片', 'Choose a picture'],
  heldNews: [(name, state) => `${name}：${state}`, (name, state) => `${name}: ${state}`],
  oneMinute: ['过一分钟', 'A minute later'],
  silence: ['过 35 分钟', '35 minutes later'],
  eightDays: ['过 8 天', '8 days later'],
  heldNothing: ['还没有。示例图片的文件名决定审核的结论。', 'None yet. The name of a sample decides what the check says of it.'],
  states: {
    sending: ['正在上传', 'uploading'],
    held: ['暂存', 'held'],
    checking: ['审核中', 'checking'],
    review: ['人工审核', 'review'],
    published: ['已发布', 'published'],
    rejected: ['未通过', 'rejected'],
    gone: ['没有了', 'gone'],
    failed: ['没传成', 'failed'],
  },
  now: {
    sending: ['正在直传 OSS。', 'On its way to OSS.'],
    held: ['等业务后端提交；hold_days 之内不提交就会删除。', 'Waits for the business to commit it; what nobody commits in hold_days is gone.'],
    checking: ['正在审核这张图片，结论一般几秒就到。', 'The picture is being checked; the verdict comes within seconds, as a rule.'],
    review: ['审核没有明确的结论，或一直没有结果，由你的人来决定。', 'The check is not sure, or never answered: your people decide.'],
    published: ['其他人可以看了。', 'Others may see it.'],
    rejected: ['没有通过，内容已经删除。', 'It did not pass, and its bytes are gone.'],
    gone: ['丢弃了或者过期了，内容已经没有。', 'Discarded, or expired: its bytes are gone.'],
    failed: ['', ''],
  },
  storedAt: ['存在', 'stored at'],
  nowhere: ['桶里没有它的内容', 'the bucket has nothing of it'],
  commit: ['提交', 'Commit'],
  discard: ['丢弃', 'Discard'],
  askNow: ['问一次', 'Ask'],
  publish: ['人工通过', 'Let it pass'],
  reject: ['人工拒绝', 'Reject it'],
  remove: ['后端删除', 'Remove it'],
  see: ['看图', 'See it'],
  businessSaid: [(what) => `业务后端：${what}`, (what) => `The business: ${what}`],
  samplePicture: [(name) => `示例图片 ${name}`, (name) => `sample picture ${name}`],
})
