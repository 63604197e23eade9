// 错误码：说明、特征（取第一个相符的）、建议
const ERRORS = {
  callback_failed: ['文件已存好，回调失败', /^OSS 203/, '不要重传，请按 key 核对'],
  form_expired: ['表单已过期', /policy expired|SecurityTokenExpired/i, '请调大 expires_in'],
  file_exists: ['同名文件已存在', /FileAlreadyExists/, '请在 key 中使用 {id}'],
  too_large: ['文件太大', /EntityTooLarge|^HTTP 413/, '请压缩，或调大 max_size'],
  empty_file: ['文件是空的', /EntityTooSmall/],
  access_denied: ['存储拒绝上传', /^OSS 403/],
  oss_rejected: ['存储拒绝请求', /^OSS [1-4]/],
  oss_unavailable: ['存储繁忙', /^OSS/],
  bad_answer: ['看不懂服务的应答', /^HTTP 200/, '请核对 endpoint；不支持 {filename}'],
  unauthorized: ['登录无效', /^HTTP 401/, '请核对 AppID 与 CALLER_AUTH'],
  forbidden: ['没有权限', /^HTTP 403/, '请看函数日志'],
  not_found: ['地址不对', /^HTTP 404/, '请核对 endpoint'],
  unsupported_type: ['不支持的类型', /^HTTP 415/, '请修改 content_types'],
  too_many_requests: ['操作太频繁', /^HTTP 429/],
  bad_request: ['请求有误', /^HTTP [1-4]/],
  internal_error: ['服务出错', /^HTTP/, '请重试，或运行 manage.py doctor'],
  domain_not_listed: ['域名未登记', /domain list|合法域名/i],
  aborted: ['已取消', /fail abort/i],
  timeout: ['等待超时', /time.{0,2}out|超时/i, '请重试，或调大 timeout'],
  file_unreadable: ['读不到文件', / file (not|error)|no such file|文件不存在/i, '请重新选择'],
  bad_file: ['没有文件', /filePath/],
  login_failed: ['登录失败', /^login/],
  unknown_outcome: ['文件可能已存好', /^$/, '请先按 key 核对'],
  network: ['网络不通', /^/],
}

class OssUploadError extends Error {
  constructor(evidence, detail, fields) {
    const found = Object.keys(ERRORS).find((code) => code === evidence || ERRORS[code][1].test(evidence))
    const { code = found } = Object(fields)
    const retryable = /network|timeout|login_failed|expired|too_many|internal|unavailable/.test(code)
    const [text, , advice = retryable ? '请稍后重试' : '请查 README 错误码表'] = ERRORS[found]
    super(detail ? `${text}：${detail}` : text)
    Object.assign(this, { name: 'OssUploadError', advice, ...fields, code, retryable })
  }
}

/** What a `fail` says; one of ours stays what it is. */
function platformError(failure, method, url) {
  const { name, errMsg, errorMessage, message } = Object(failure)
  if (name === 'OssUploadError') return failure
  const detail = errMsg || errorMessage || message
  const error = Object(new OssUploadError(`${method} ${detail}`, detail))
  if (url && error.code === 'domain_not_listed') error.advice = `请在 ${method} 合法域名 中加入 ${url.split('/', 3).join('/')}`
  return error
}

function functionError(statusCode, { error }) {
  const { code, message, requestId } = Object(error)
  return new OssUploadError(`HTTP ${statusCode}`, message, { code, statusCode, requestId })
}

function ossError(statusCode, xml) {
  const read = (name) => (new RegExp(`<${name}>([^<]*)`).exec(xml) || [])[1]
  const [ossCode, message, requestId] = ['Code', 'Message', 'RequestId'].map(read)
  return new OssUploadError(`OSS ${statusCode} ${ossCode} ${message}`, message, { statusCode, ossCode, requestId })
}

module.exports = { OssUploadError, platformError, functionError, ossError }
