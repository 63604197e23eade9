'use strict'

// 错误码（或 HTTP 状态）: [发生了什么, 怎么办]
const TEXTS = {
  bad_file: ['没有文件', '请传入选择文件得到的 filePath'],
  empty_file: ['文件是空的', '请换一个文件'],
  file_unreadable: ['读不到文件', '临时文件可能已被清理，请重新选择'],
  too_large: ['文件太大', '请压缩，或调大 profiles.toml 的 max_size'],
  unsupported_type: ['不支持这种文件', '请换一个，或修改 profiles.toml 的 content_types'],
  aborted: ['已取消', '无需处理'],
  network: ['网络不通', '请检查网络后重试'],
  timeout: ['等待超时', '请重试，或调大 timeout'],
  domain_not_listed: ['域名未登记', ''],
  login_failed: ['登录失败', '请重试，或检查 getToken'],
  bad_answer: ['看不懂服务的回答', '请核对 endpoint；profile 的 key 不能以 {filename} 结尾'],
  form_expired: ['上传许可已过期', '请重试，或调大 profiles.toml 的 expires_in'],
  access_denied: ['存储拒绝上传', '请看 ossCode'],
  file_exists: ['同名文件已存在', '请在 profiles.toml 的 key 中使用 {id}'],
  oss_rejected: ['存储不接受请求', '请看 ossCode'],
  oss_unavailable: ['存储繁忙', '请稍后重试'],
  callback_failed: ['文件已存好，登记失败', '不要重传；请按 key 核对'],
  unknown_outcome: ['结果未知，文件可能已存好', '请按 key 核对后再决定是否重传'],
  401: ['登录无效', '请重新登录，并核对 AppID 与 CALLER_AUTH'],
  403: ['没有权限', '请看函数日志'],
  404: ['地址不对', '请核对 endpoint'],
  429: ['操作太频繁', '请稍后重试'],
  400: ['请求有误', '请核对 profile 与参数'],
  503: ['服务繁忙', '请稍后重试'],
  500: ['服务出错', '请运行 python manage.py doctor'],
}
const RETRYABLE = ['network', 'timeout', 'login_failed', 'form_expired', 'oss_unavailable']
const PERMANENT = ['misconfigured', 'sts_rejected', 'wechat_rejected']

class OssUploadError extends Error {
  constructor(code, stage, /** @type {any} */ { detail, ...fields } = {}) {
    const { statusCode } = fields
    const [text, advice] = TEXTS[code] || TEXTS[statusCode] || TEXTS[statusCode < 500 ? 400 : 500]
    super(detail ? `${text}：${detail}` : text)
    Object.assign(this, { name: 'OssUploadError', code, stage, advice, retryable: RETRYABLE.includes(code) }, fields)
  }
}

/** What the platform's `fail` says: there is no HTTP status. */
function platformError(stage, url, /** @type {any} */ { errMsg, errorMessage }) {
  const detail = errMsg || errorMessage || ''
  if (!/domain list|合法域名/i.test(detail)) return new OssUploadError(platformCode(detail, url), stage, { detail })
  const origin = url.split('/', 3).join('/')
  const list = stage === 'upload' ? 'uploadFile' : 'request'
  const advice = `请在小程序后台的 开发管理 → 服务器域名 → ${list} 合法域名 中加入 ${origin}`
  return new OssUploadError('domain_not_listed', stage, { detail: origin, advice })
}

function platformCode(detail, url) {
  if (/fail abort/i.test(detail)) return 'aborted'
  if (/time.?out|timed.?out|超时/i.test(detail)) return 'timeout'
  if (/file (not found|error)|no such file/i.test(detail)) return 'file_unreadable'
  return url ? 'network' : 'login_failed' // wx.login has no address
}

/** An error answer of the function, or of the gateway before it. */
function functionError(stage, statusCode, body, retryAfter) {
  const { code, message, requestId } = (body && body.error) || {}
  const known = { 401: 'unauthorized', 403: 'forbidden', 404: 'not_found', 429: 'too_many_requests' }
  const ownCode = code || known[statusCode] || (statusCode < 500 ? 'bad_request' : 'internal_error')
  const retryable = statusCode === 429 || (statusCode >= 500 && !PERMANENT.includes(code))
  return new OssUploadError(ownCode, stage, { detail: message, statusCode, requestId, retryAfter, retryable })
}

/** An error answer of OSS: an XML document. */
function ossError(statusCode, text) {
  const read = (name) => (new RegExp(`<${name}>([^<]*)`).exec(text) || [])[1]
  const [ossCode, requestId, detail = `HTTP ${statusCode}`] = ['Code', 'RequestId', 'Message'].map(read)
  const code = ossErrorCode(statusCode, ossCode, detail)
  return new OssUploadError(code, 'upload', { detail, statusCode, ossCode, requestId })
}

function ossErrorCode(statusCode, ossCode, message) {
  if (statusCode === 203) return 'callback_failed'
  if (statusCode >= 500) return 'oss_unavailable'
  if (/policy expired/i.test(message)) return 'form_expired'
  const known = {
    SecurityTokenExpired: 'form_expired', FileAlreadyExists: 'file_exists',
    EntityTooLarge: 'too_large', EntityTooSmall: 'empty_file',
  }
  return known[ossCode] || (statusCode === 403 ? 'access_denied' : 'oss_rejected')
}

module.exports = { OssUploadError, platformError, functionError, ossError }
