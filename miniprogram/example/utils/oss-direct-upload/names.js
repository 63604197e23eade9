/**
 * Content types as people call them: what the type contains, its name, its English name where that differs.
 * @type {any[][]}
 */
const TYPES = [
  [/^image\/\*$/, '图片', 'images'], [/^video\/\*$/, '视频', 'videos'], [/^audio\/\*$/, '音频', 'audio'],
  [/\/jpe?g$/, 'JPG'], [/\/hei[cf]$/, '苹果照片（HEIC）', 'HEIC'], [/\/svg/, 'SVG'], [/\/tiff$/, 'TIF'],
  [/\/quicktime$/, 'MOV'], [/msvideo$/, 'AVI'], [/matroska$/, 'MKV'], [/\/3gpp$/, '3GP'],
  [/audio\/mpeg$/, 'MP3'], [/audio\/mp4$/, 'M4A'], [/\/plain$/, 'TXT'], [/7z-compressed$/, '7Z'], [/zip-compressed$/, 'ZIP'],
  [/msword$|wordprocessing/, 'Word'], [/ms-excel$|spreadsheet/, 'Excel'], [/powerpoint$|presentation/, 'PPT'],
]
/** What the developer has to do about the codes that come most often. */
const ADVICE = {
  __proto__: null,
  bad_file: '没有 filePath，或者 size 与文件的实际大小不符',
  too_large: '先压缩，或调大用途的 max_size',
  unsupported_type: '在用途的 content_types 里加上这种类型',
  unauthorized: '核对 AppID、AppSecret 和 CALLER_AUTH',
  unknown_profile: 'profiles.toml 里没有这个用途，可能是写错了',
  bad_request: '原因在 detail 里',
  not_found: 'endpoint 写错了，或 profiles.toml 没有打开这个选项',
  misconfigured: '函数的设置有误，部署前运行 make check-deploy',
  sts_rejected: '函数扮演不了 STS_ROLE_ARN 的角色，运行 manage.py doctor',
  access_denied: '表单字段要原样发送；没有改过就运行 manage.py doctor',
  busy: '函数实例不够用：提高实例上限，或改用 deploy/burst',
  form_expired: '调大用途的 expires_in',
  callback_failed: '检查 CALLBACK_URL 能否从公网访问',
  bad_answer: 'endpoint 不是本函数的地址，或 key 以 {filename} 结尾',
  privacy_undeclared: '在小程序后台的隐私保护指引里声明',
}

/** Alipay tells numbers; here in words of WeChat. */
const NUMBERS = {
  choose: { 11: 'fail cancel', 2001: 'permission' },
  login: { 11: 'fail cancel' },
  request: { 1: 'interrupted', 4: 'domain list', 11: 'domain list', 13: 'timeout' },
  uploadFile: { 4: 'domain list', 11: 'no such file', 13: 'privacy permission', 20: 'domain list' }, // 20: no https
}

const wordsOf = (method, number) => Object(NUMBERS[method])[number] || ''

/** Each name once, in the order of the types. */
function typeNames(contentTypes, english = false) {
  return [...new Set(contentTypes.map((type) => {
    const [, name, other = name] = TYPES.find(([mark]) => mark.test(type)) || ['', type.replace(/.*[/.-]/, '').toUpperCase()]
    return english ? other : name
  }))]
}

/** One clause, and where the table of codes is. */
function adviceOn(code, hint) {
  const table = `见错误码表：${code} ${hint}`.trim()
  return `${ADVICE[code] ? `${ADVICE[code]}，` : ''}${table}（docs/client.zh-CN.md#错误码）`
}

/** Where nothing is reached; Alipay has one list, without a method. */
function adviseOnAddress(error, method, url) {
  const origin = url.split('/', 3).join('/')
  if (error.code === 'domain_not_listed') error.advice = method ? `在 ${method} 合法域名 中加入 ${origin}` : `在服务器域名白名单中加入 ${origin}（要 https），再发布新版本`
  if (error.code === 'network') error.advice = `连不上 ${origin}：地址写错了，或者没有在运行（本地云用 make run，手机要连就加 HOST=lan），${error.advice}`
  return error
}

/** An answer without our code: of the gateway's where it is busy, else of another server. */
function adviseOnServer(error, status, data) {
  const whose = /<Code>/.test(data) ? 'OSS ' : '别的服务器'
  if (status < 500 && status !== 429) error.advice = `endpoint 不是本函数的地址，返回的是${whose}的响应，${error.advice}`
  return error
}

/** Limits or a quota, if well-formed. */
function sound(said) {
  const { maxSize = 0, minSize = 0, contentTypes = [], filesLeft, bytesLeft, resetsAt = 1 } = Object(said)
  return Object(said) === said && Date.parse(resetsAt) > 0
    && Array.isArray(contentTypes) && contentTypes.every((type) => typeof type === 'string')
    && [maxSize, minSize, filesLeft || 0, bytesLeft || 0].every((n) => Number.isSafeInteger(n) && n >= 0) ? said : undefined
}

module.exports = { adviceOn, adviseOnAddress, adviseOnServer, sound, typeNames, wordsOf }
