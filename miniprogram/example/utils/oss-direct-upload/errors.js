// code: [mark (the first counts), sentence, hint]; [a {x}|b] is b while x is unknown
const ERRORS = {
  __proto__: null, // any code may come
  callback_failed: [/^OSS 203/, '文件已传好，但登记失败，请勿重传。'],
  form_expired: [/policy expired|SecurityTokenExpired/i, '上传太慢，请换个网络再试。'],
  file_exists: [/FileAlreadyExists/, '同名的文件已经存在。', '{id}'],
  already_exists: [/already_exists/, '同名的文件已经存在。', '{id}'],
  already_complete: [/already_complete/, '文件已经传好，不用再传。'],
  already_published: [/already_published/, '文件已经发布，不能撤回。'],
  not_uploaded: [/not_uploaded/, '文件还没有传好，请重新上传。'],
  incomplete: [/incomplete/, '文件还没有传完，请继续上传。'],
  upload_gone: [/upload_gone/, '这次上传已经失效，请重新上传。', 'parts_within'],
  device_full: [/no space|ENOSPC|disk.{0,9}full|storage (limit|full)|空间不足/i, '手机的存储空间不足，请清理后再试。'],
  too_large: [/EntityTooLarge|^HTTP 413|^(upload|choose).*(exceed|too large|太大|'size')/i, '文件太大，[最大 {maxSize}|请换一个小一点的]。'],
  empty_file: [/EntityTooSmall/, '文件是空的或太小，请换一个。'],
  access_denied: [/^OSS 403/],
  oss_rejected: [/^OSS [1-4]/],
  oss_unavailable: [/^OSS/],
  bad_answer: [/^HTTP 200/],
  unauthorized: [/^HTTP 401/, '登录已失效，请重新登录。'],
  forbidden: [/^HTTP 403/, '这个账号没有权限。'],
  not_found: [/^HTTP 404/],
  unsupported_type: [/^HTTP 415/, '不支持这种文件，[支持：{types}|请换一个]。'],
  quota_exceeded: [/quota_exceeded/, '今天的上传额度[还剩 {left}，不够传这些|用完了]，[{reset}恢复|请明天再试]。'],
  busy: [/^HTTP (429|50[23])/, '服务繁忙，请稍后再试。'],
  too_many_requests: [/too_many_requests/, '操作太频繁，请[在 {wait}后|稍后]再试。'],
  bad_request: [/^HTTP [1-4]/, '[文件太小，至少要 {minSize}|服务出了问题，请联系客服]。', 'min_size'],
  internal_error: [/^HTTP/],
  domain_not_listed: [/domain list|合法域名/i],
  privacy_undeclared: [/privacy (agreement|api)|errno 112/i],
  permission_denied: [/privacy permission|^choose.*(permission|deny|auth)/i, '没有得到授权，请在设置中允许。'],
  aborted: [/fail (abort|cancel)|host login/i, '已取消。'],
  file_unreadable: [/ file (not|error)|FileNotFound|no such file|文件不存在/i, '读不到这个文件，请重新选择。'],
  timeout: [/time.{0,2}out|超时/i, '等待太久，请检查网络后再试。'],
  interrupted: [/interrupted|in background/i, '上传被打断，请再试一次。'],
  tls_failed: [/ssl|tls|cert|handshake|证书/i, '无法安全连接，请检查网络和手机日期。'],
  bad_file: [/filePath/],
  login_failed: [/^login/, '登录失败，请稍后再试。'],
  unknown_outcome: [/^$/, '文件可能已传好，请先查看再决定是否重传。'],
  network: [/^/, '网络不通，请检查后再试。'],
}
const BROKEN = '服务出了问题，请联系客服。'
const BUSY = '服务正忙，请[在 {wait}后|稍后]再试。'

class OssUploadError extends Error {
  constructor(evidence, detail = '', fields) {
    const found = Object.keys(ERRORS).find((code) => code === evidence || ERRORS[code][0].test(evidence))
    const { code = found, retryAfter, limits, quota } = Object(fields)
    const [, text, hint = ''] = ERRORS[code] || []
    const mayPass = /network|timeout|interrupted|login_failed|expired|too_many|busy|internal|unavailable|not_uploaded|incomplete|gone/.test(code)
    super(fill(text || (mayPass ? BUSY : BROKEN), retryAfter, limits, quota))
    Object.assign(this, { name: 'OssUploadError', advice: require('./names').adviceOn(code, hint), ...fields, code, detail, retryable: mayPass && !(retryAfter > 60) })
  }
}

function fill(text, seconds, { maxSize, minSize, contentTypes = ['*/*'] } = Object(), quota) {
  const known = {
    maxSize: maxSize && sizeText(maxSize),
    minSize: minSize && sizeText(minSize, Math.ceil),
    types: !contentTypes.includes('*/*') && require('./names').typeNames(contentTypes).join('、'),
    wait: seconds && (seconds > 90 ? `${Math.ceil(seconds / 60)} 分钟` : `${seconds} 秒`),
    ...(Object(quota).resetsAt && untilReset(quota, seconds)),
  }
  return text.replace(/{(\w+)}/g, (hole, name) => known[name] || hole)
    .replace(/\[(.*?)\|(.*?)]/g, (_, one, other) => (/{/.test(one) ? other : one))
}

// In the phone's time zone.
function untilReset({ filesLeft, bytesLeft, resetsAt }, seconds) {
  const [then, now] = [0, seconds].map((before) => new Date(Date.parse(resetsAt) - before * 1000))
  const left = [filesLeft && `${filesLeft} 个文件`, bytesLeft && sizeText(bytesLeft)]
  return {
    reset: `${then.getDate() === now.getDate() ? '今天' : '明天'} ${then.getHours()} 点`,
    left: !left.includes(0) && left.filter(Boolean).join('、'),
  }
}

function sizeText(bytes, round = Math.floor) {
  const power = Math.floor(Math.log2(bytes) / 10)
  return `${round(bytes * 10 / 1024 ** power) / 10} ${'B KB MB GB TB'.split(' ')[power]}`
}

/** What a `fail` says; one of ours stays what it is. */
function platformError(failure, method, url) {
  const { name, errMsg, errorMessage, message, errno, error: number, opaque } = Object(failure)
  if (name === 'OssUploadError') return failure
  const detail = errMsg || errorMessage || message
  const words = number ? require('./names').wordsOf(method, number) : ''
  const error = Object(new OssUploadError(`${method} ${words} ${detail} errno ${errno}`, detail))
  if (opaque && error.code === 'network') error.opaque = true // perhaps a refusal
  return url ? require('./names').adviseOnAddress(error, words ? '' : method, url) : error
}

function functionError({ statusCode, data, header, headers = header }) {
  const { code: ours, message, requestId, limits, quota, text } = Object(Object(data).error)
  const code = typeof ours === 'string' ? ours : undefined // else of the gateway
  const [, wait] = Object.entries(Object(headers)).find(([name]) => /^retry-after$/i.test(name)) || []
  const retryAfter = Number(wait) || undefined
  const ofHooks = text && typeof text === 'string' && { message: text }
  const words = ofHooks || (/being erased/.test(message) && { message: '你的数据正在删除，暂时不能使用。' })
  const error = new OssUploadError(`HTTP ${statusCode}`, message, { code, statusCode, requestId, limits: require('./names').sound(limits), quota: require('./names').sound(quota), retryAfter, ...words })
  return code ? error : require('./names').adviseOnServer(error, statusCode, data)
}

/** `sized`: the request told the size, so the file has another. */
function ossError(statusCode, xml, limits, sized) {
  const read = (name) => (new RegExp(`<${name}>([^<]*)`).exec(xml) || [])[1]
  const [ossCode, message, requestId] = ['Code', 'Message', 'RequestId'].map(read)
  const evidence = sized && /EntityToo/.test(ossCode) ? 'bad_file' : `OSS ${statusCode} ${xml}`
  return new OssUploadError(evidence, message, { statusCode, ossCode, requestId, limits })
}

module.exports = { OssUploadError, platformError, functionError, ossError, sizeText }
