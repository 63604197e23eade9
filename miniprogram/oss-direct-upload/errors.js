'use strict'

// 错误码（或 HTTP 状态）: [发生了什么, 怎么办, 回答中没有错误码时的错误码]
const TEXTS = {
  bad_file: ['没有文件', '请传入 filePath'],
  empty_file: ['文件是空的', '请换一个文件'],
  file_unreadable: ['读不到文件', '请重新选择'],
  too_large: ['文件太大', '请压缩，或调大 max_size'],
  unsupported_type: ['不支持这种文件', '请换一个，或修改 content_types'],
  aborted: ['已取消', '无需处理'],
  network: ['网络不通'],
  timeout: ['等待超时', '请重试，或调大 timeout'],
  domain_not_listed: ['域名未登记'],
  login_failed: ['登录失败'],
  bad_answer: ['看不懂服务的回答', '请核对 endpoint；key 不能以 {filename} 结尾'],
  form_expired: ['上传许可已过期', '请重试，或调大 expires_in'],
  access_denied: ['存储拒绝上传', '请看 ossCode'],
  file_exists: ['同名文件已存在', '请在 key 中使用 {id}'],
  oss_rejected: ['存储不接受请求', '请看 ossCode'],
  oss_unavailable: ['存储繁忙'],
  callback_failed: ['文件已存好，登记失败', '不要重传，请按 key 核对'],
  unknown_outcome: ['文件可能已存好', '请先按 key 核对'],
  400: ['请求有误', '请核对参数', 'bad_request'],
  401: ['登录无效', '请核对 AppID 与 CALLER_AUTH', 'unauthorized'],
  403: ['没有权限', '请看函数日志', 'forbidden'],
  404: ['地址不对', '请核对 endpoint', 'not_found'],
  429: ['操作太频繁', '请稍后重试', 'too_many_requests'],
  500: ['服务出错', '请运行 manage.py doctor', 'internal_error'],
  503: ['服务繁忙', '请稍后重试', 'internal_error'],
}
const RETRYABLE = ['network', 'timeout', 'login_failed', 'form_expired', 'too_many_requests']
const PLATFORM_TEXTS = {
  domain_not_listed: /domain list|合法域名/i,
  aborted: /fail abort/i,
  timeout: /time.{0,2}out|超时/i,
  file_unreadable: /file (not found|error)|no such file/i,
}
const OSS_CODES = {
  SecurityTokenExpired: 'form_expired',
  FileAlreadyExists: 'file_exists',
  EntityTooLarge: 'too_large',
  EntityTooSmall: 'empty_file',
  203: 'callback_failed',
  403: 'access_denied',
}

class OssUploadError extends Error {
  constructor(code, /** @type {any} */ { detail, ...fields } = {}) {
    const { statusCode } = fields
    const [text, advice = '请稍后重试'] = TEXTS[code] || textsOf(statusCode)
    super(detail ? `${text}：${detail}` : text)
    const retryable = statusCode >= 500 ? !/misconfigured|_rejected/.test(code) : RETRYABLE.includes(code)
    Object.assign(this, { name: 'OssUploadError', code, advice, retryable }, fields)
  }
}

function textsOf(statusCode) {
  return TEXTS[statusCode] || TEXTS[statusCode < 500 ? 400 : 500]
}

/** What `fail` of wx.login (no url), wx.request or wx.uploadFile says. */
function platformError(method, url = '', { errMsg, errorMessage, message }) {
  const detail = errMsg || errorMessage || message
  const found = Object.keys(PLATFORM_TEXTS).find((code) => PLATFORM_TEXTS[code].test(detail))
  if (found !== 'domain_not_listed') return new OssUploadError(found || (url ? 'network' : 'login_failed'), { detail })
  const origin = url.split('/', 3).join('/')
  const advice = `请在小程序后台 → 开发管理 → 服务器域名 → ${method} 合法域名 中加入 ${origin}`
  return new OssUploadError(found, { detail: origin, advice })
}

/** An error answer of the function, or of the gateway before it. */
function functionError(statusCode, body, retryAfter) {
  const { code = textsOf(statusCode)[2], message, requestId } = (body && body.error) || {}
  return new OssUploadError(code, { detail: message, statusCode, requestId, retryAfter })
}

/** An error answer of OSS: an XML document. */
function ossError(statusCode, xml) {
  const read = (name) => (new RegExp(`<${name}>([^<]*)`).exec(xml) || [])[1]
  const ossCode = read('Code')
  const detail = read('Message') || `HTTP ${statusCode}`
  const code = /policy expired/i.test(detail) ? 'form_expired' : OSS_CODES[ossCode] || OSS_CODES[statusCode]
  const otherwise = statusCode < 500 ? 'oss_rejected' : 'oss_unavailable'
  return new OssUploadError(code || otherwise, { detail, statusCode, ossCode, requestId: read('RequestId') })
}

module.exports = { OssUploadError, platformError, functionError, ossError }
