/** Everything the page says, in both languages. */

import { inBoth } from './elements.js'

const UNITS = ['B', 'KB', 'MB', 'GB']

function sizeText(bytes) {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1)
  return `${(bytes / 1024 ** power).toFixed(power && bytes < 10 * 1024 ** power ? 1 : 0)} ${UNITS[power]}`
}

/** Of WeChat, by number. */
const WECHAT = {
  100: ['正常', 'normal'],
  10001: ['广告', 'advertisement'],
  20001: ['时政', 'politics'],
  20002: ['色情', 'pornography'],
  20003: ['辱骂', 'abuse'],
  20006: ['违法犯罪', 'illegal'],
  20008: ['欺诈', 'fraud'],
  20012: ['低俗', 'vulgar'],
  20013: ['版权', 'copyright'],
  21000: ['其他', 'other'],
}
/** Of Aliyun, by the beginning of the label. */
const FAMILIES = {
  pornographic: ['色情', 'pornography'],
  sexual: ['性感低俗', 'sexual'],
  violent: ['暴力', 'violence'],
  horrific: ['血腥恐怖', 'horror'],
  terrorism: ['恐怖主义', 'terrorism'],
  contraband: ['违禁品', 'contraband'],
  drug: ['毒品', 'drugs'],
  gambling: ['赌博', 'gambling'],
  political: ['涉政', 'politics'],
  pt: ['广告引流', 'advertising'],
  logo: ['标识', 'logo'],
  nonLabel: ['未发现问题', 'nothing found'],
}

/** A label with what it means, where that is known. */
function labelIn(at) {
  return (label) => {
    const known = WECHAT[label] || FAMILIES[String(label).split('_')[0]]
    return known ? `${known[at]} · ${label}` : String(label)
  }
}

/** Time that is left, of some hours: rounded down, so that nobody counts on more; minutes in the last one. */
function leftIn(hourText, minuteText, over) {
  return (hours) => (hours >= 1 ? hourText(Math.floor(hours)) : hours > 0 ? minuteText(Math.floor(hours * 60)) : over)
}

function agoIn(locale) {
  const words = new Intl.RelativeTimeFormat(locale, { numeric: 'always' })
  return (date) => {
    const minutes = Math.round((date.getTime() - Date.now()) / 60000)
    if (Math.abs(minutes) < 60) return words.format(minutes, 'minute')
    const hours = Math.round(minutes / 60)
    return Math.abs(hours) < 48 ? words.format(hours, 'hour') : words.format(Math.round(hours / 24), 'day')
  }
}

/** Text of others, whose direction ends with it. */
export const plain = (text) => `\u2068${String(text).replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')}\u2069`

const timeIn = (locale) => (date) => date.toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' })

export const TEXTS = inBoth({
  language: ['zh-CN', 'en'],
  otherLanguage: ['English', '中文'],
  title: ['人工审核', 'Review'],
  reviewer: ['审核人', 'Reviewer'],
  progress: [(done, left, more) => `已处理 ${done} · 待处理 ${left}${more ? '+' : ''}`, (done, left, more) => `${done} done · ${left}${more ? '+' : ''} left`],
  publish: ['通过', 'Publish'],
  reject: ['拒绝', 'Reject'],
  skip: ['跳过', 'Skip'],
  keys: ['按 A 通过，按 R 拒绝，按 S 跳过。', 'A publishes, R rejects, S skips.'],
  hint: [
    '点图片看原始大小。决定不能撤销：拒绝会立即删除内容，已通过的只能由后端下架。',
    'Click a picture for its full size. Decisions are final: a rejection deletes the bytes at once, what was published can only be taken down by the backend.',
  ],
  loading: ['正在读取…', 'Loading…'],
  empty: ['没有待审核的内容。', 'Nothing waits for a review.'],
  emptyHint: ['本页每 15 秒看一次，有新的就会出现。', 'This page looks every 15 seconds and shows what is new.'],
  cannotShow: [
    '图片没有加载出来，可能浏览器不支持这种格式，或链接已失效。没看到内容时按 A 不会通过；要通过请点按钮。',
    'The picture did not load: perhaps this browser does not know the format, or the link has ended. Unseen, A publishes nothing; the button does.',
  ],
  cannotPlay: [
    '无法播放：浏览器可能不支持这种格式，或链接已失效。没看到内容时按 A 不会通过；要通过请点按钮。',
    'It does not play: perhaps this browser does not know the format, or the link has ended. Unseen, A publishes nothing; the button does.',
  ],
  notShown: ['浏览器不能直接显示这种文件，请下载查看。按 A 不会通过；要通过请点按钮。', 'A browser does not show files of this type; download it. A publishes nothing; the button does.'],
  open: ['在新标签页打开', 'Open in a new tab'],
  picture: [(name) => `待审核的图片 ${name}`, (name) => `Picture to review: ${name}`],
  checkers: {
    wechat: ['微信', 'WeChat'],
    aliyun: ['阿里云', 'Alibaba Cloud'],
  },
  nobody: ['没有得到结论', 'no verdict'],
  reasons: {
    label: [(by) => `${by}拿不准`, (by) => `${by} is not sure`],
    errcode: [(by, code) => `${by}没有审核，错误码 ${code}`, (by, code) => `${by} did not check it: error ${code}`],
    silent: [(by) => `${by}两次都没有返回结论`, (by) => `${by} was silent twice`],
    changed: [() => '送审之后又被重新上传过', () => 'It was stored again after its submission'],
    unsupported: [() => '机器不能审核这种文件', () => 'No checker takes such a file'],
    animated: [() => '动图，机器只看得到一帧', () => 'It is animated, and a checker sees one frame'],
    unreachable: [(by) => `${by}打不开文件的链接`, (by) => `${by} could not open its link`],
    removed: [() => '它的小程序已不在 callers.toml 里，无法送审', () => 'its caller is no longer in callers.toml'],
    'not-checked': [(by) => `${by}多次调用失败，没有审核`, (by) => `${by} could not be reached, in spite of retries`],
    metadata: [() => '图片里的拍摄信息清除不了，不能通过，只能拒绝', () => 'Its metadata cannot be removed: it can only be rejected'],
    'ai-label': [
      (by, code) => (code === 'not-carried' ? 'AI 标识无法保留，通过的话图片就不带标识' : 'AI 标识互相矛盾或读不出来'),
      (by, code) => (code === 'not-carried' ? 'Its AI label cannot be kept: published, it has none' : 'Its AI label is contradictory or unreadable'),
    ],
    rules: [() => '上传之后，这个用途的审核规则变过', () => 'The rules of its profile changed after its upload'],
    unreadable: [() => '审核记录读不出来', () => 'The record of its check is unreadable'],
  },
  anyReason: [() => '需要人工审核', () => 'A human is wanted'],
  machine: ['机器审核', 'The checker'],
  checker: ['审核方', 'Checker'],
  profile: ['用途', 'Profile'],
  since: ['开始等待', 'Waits since'],
  heldUntil: ['到期时间', 'Ends at'],
  type: ['类型', 'Type'],
  key: ['名称', 'Key'],
  aiLabel: ['AI 标识', 'AI label'],
  ai: {
    1: ['属于 AI 生成合成内容', 'made by AI'],
    2: ['可能为 AI 生成合成内容', 'may be made by AI'],
    3: ['疑似 AI 生成合成内容', 'suspected to be made by AI'],
    none: ['查过，没有找到', 'none found'],
    marks: ['只有其他来源标记', 'other marks of origin only'],
    conflict: ['互相矛盾', 'contradictory'],
    unreadable: ['读不出来', 'unreadable'],
    metadata: ['文件里写的', 'the file says so'],
    declared: ['上传者声明的', 'declared'],
    reviewed: ['审核人员标注的', 'said by a reviewer'],
  },
  suspected: ['标为疑似 AI 生成合成内容', 'Suspected to be made by AI'],
  published: ['已通过', 'Published'],
  rejected: ['已拒绝', 'Rejected'],
  other: {
    publish: [(who, when) => `已由 ${who} 于 ${when} 处理：通过`, (who, when) => `${who} published it already, ${when}`],
    reject: [(who, when) => `已由 ${who} 于 ${when} 处理：拒绝`, (who, when) => `${who} rejected it already, ${when}`],
    discard: [(who, when) => `已由 ${who} 于 ${when} 删除`, (who, when) => `${who} deleted it, ${when}`],
  },
  deciders: {
    owner: ['上传者', 'Its owner'],
    backend: ['业务后端', 'The backend'],
    check: ['机器审核', 'A checker'],
    commit: ['业务后端', 'The backend'],
  },
  gone: ['已经不在了：上传者删除了，或已到期', 'It is gone: its owner deleted it, or its time was over'],
  failed: [(why) => `没有成功，稍后会再出现：${why}`, (why) => `Not done, it will come again: ${why}`],
  stays: ['图片里的拍摄信息清除不了，不能通过，只能拒绝。', 'Its metadata cannot be removed, so it is not published: it can only be rejected.'],
  noServer: ['命令 manage.py review 已经结束，请重新运行，再打开它给出的地址。', 'manage.py review has ended: run it again, and open the address that it prints.'],
  foreignPage: ['请打开 manage.py review 给出的完整地址（# 后面的部分也要）。', 'Open the whole address that manage.py review printed, with what follows the #.'],
  left: [
    leftIn((hours) => `还剩 ${hours} 小时`, (minutes) => `还剩 ${minutes} 分钟`, '已到期'),
    leftIn((hours) => `${hours} h left`, (minutes) => `${minutes} min left`, 'Its time is over'),
  ],
  label: [labelIn(0), labelIn(1)],
  ago: [agoIn('zh-CN'), agoIn('en')],
  time: [timeIn('zh-CN'), timeIn('en')],
  sizeText,
})
