'use strict'

// 错误码（或 HTTP 状态）: [发生了什么, 怎么办, 回答中没有错误码时的错误码]
const TEXTS = {
  bad_file: ['没有文件', '请传入 filePath'],
  empty_file: ['文件是空的', '请换一个文件'],
  file_unreadable: ['读不到文件', '请重新选择'],
  too_large: ['文件太大', '请压缩，或调大 max_size'],
  unsupported_type: ['不支持这种文件', '请换一个，或修改 content_types'],
  aborted: ['已取消', '无需处理'],
  network: ['网络不通', '请检查网络后重试'],
  timeout: ['等待超时', '请重试，或调大 timeout'],
  domain_not_listed: ['域名未登记'],
  login_failed: ['登录失败', '请重试，或检查 getToken'],
  bad_answer: ['看不懂服务的回答', '请核对 endpoint；key 不能以 {filename} 结尾'],
  form_expired: ['上传许可已过期', '请重试，或调大 expires_in'],
  access_denied: ['存储拒绝上传', '请看 ossCode'],
  file_exists: ['同名文件已存在', '请在 key 中使用 {id}'],
  oss_rejected: ['存储不接受请求', '请看 ossCode'],
  oss_unavailable: ['存储繁忙', '请稍后重试'],
  callback_failed: ['文件已存好，登记失败', '不要重传；请按 key 核对'],
  unknown_outcome: ['文件可能已存好', '请按 key 核对后再决定是否重传'],
  400: ['请求有误', '请核对 profile 与参数', 'bad_request'],
  401: ['登录无效', '请核对 AppID 与 CALLER_AUTH', 'unauthorized'],
  403: ['没有权限', '请看函数日志', 'forbidden'],
  404: ['地址不对', '请核对 endpoint', 'not_found'],
  429: ['操作太频繁', '请稍后重试', 'too_many_requests'],
  500: ['服务出错', '请运行 python manage.py doctor', 'internal_error'],
  503: ['服务繁忙', '请稍后重试', 'internal_error'],
}
const RETRYABLE = ['network', 'timeout', 'login_failed', 'form_expired', 'too_many_requests']
const PERMANENT = ['misconfigured', 'sts_rejected', 'wechat_rejected']
const OSS_CODES = {
  SecurityTokenExpired: 'form_expired',
  FileAlreadyExists: 'file_exists',
  EntityTooLarge: 'too_large',
  EntityTooSmall: 'empty_file',
}

class OssUploadError extends Error {
  constructor(code, stage, /** @type {any} */ { detail, ...fields } = {}) {
    const { statusCode } = fields
    const [text, advice] = TEXTS[code] || textsOf(statusCode)
    super(detail ? `${text}：${detail}` : text)
    const retryable = statusCode >= 500 ? !PERMANENT.includes(code) : RETRYABLE.includes(code)
    Object.assign(this, { name: 'OssUploadError', code, stage, advice, retryable }, fields)
  }
}

function textsOf(statusCode) {
  return TEXTS[statusCode] || TEXTS[statusCode < 500 ? 400 : 500]
}

/** What the platform's `fail` says: there is no HTTP status. */
function platformError(stage, url, { errMsg, errorMessage }) {
  const detail = errMsg || errorMessage || ''
  if (/domain list|合法域名/i.test(detail)) return domainError(stage, url.split('/', 3).join('/'))
  const code = /fail abort/i.test(detail) ? 'aborted'
    : /time.{0,2}out|超时/i.test(detail) ? 'timeout'
      : /file (not found|error)|no such file/i.test(detail) ? 'file_unreadable'
        : url ? 'network' : 'login_failed' // wx.login has no address
  return new OssUploadError(code, stage, { detail })
}

function domainError(stage, origin) {
  const list = stage === 'upload' ? 'uploadFile' : 'request'
  const advice = `请在小程序后台的 开发管理 → 服务器域名 → ${list} 合法域名 中加入 ${origin}`
  return new OssUploadError('domain_not_listed', stage, { detail: origin, advice })
}

/** An error answer of the function, or of the gateway before it. */
function functionError(stage, statusCode, body, retryAfter) {
  const { code = textsOf(statusCode)[2], message, requestId } = (body && body.error) || {}
  return new OssUploadError(code, stage, { detail: message, statusCode, requestId, retryAfter })
}

/** An error answer of OSS: an XML document. */
function ossError(statusCode, text) {
  const read = (name) => (new RegExp(`<${name}>([^<]*)`).exec(text) || [])[1]
  const [ossCode, requestId, detail = `HTTP ${statusCode}`] = ['Code', 'RequestId', 'Message'].map(read)
  let code = OSS_CODES[ossCode] || (statusCode === 403 ? 'access_denied' : 'oss_rejected')
  if (/policy expired/i.test(detail)) code = 'form_expired'
  if (statusCode >= 500) code = 'oss_unavailable'
  if (statusCode === 203) code = 'callback_failed'
  return new OssUploadError(code, 'upload', { detail, statusCode, ossCode, requestId })
}

module.exports = { OssUploadError, platformError, functionError, ossError }
