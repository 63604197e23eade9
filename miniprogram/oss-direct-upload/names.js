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
const OPTIONS = 'endpoint api profile concurrency timeout retries backoff getToken user digest texts now carry partsFrom'.split(' ')

/** Each name once, in the order of the types. */
function typeNames(contentTypes, english = false) {
  return [...new Set(contentTypes.map((type) => {
    const [, name, other = name] = TYPES.find(([mark]) => mark.test(type)) || ['', type.replace(/.*[/.-]/, '').toUpperCase()]
    return english ? other : name
  }))]
}

/** Tells the developer, in the console; what cannot work at all throws. */
function checkOptions(options) {
  for (const name of Object.keys(options).filter((each) => !OPTIONS.includes(each))) {
    const meant = OPTIONS.find((option) => isLike(option.toLowerCase(), name.toLowerCase()))
    console.warn(`createUploader 没有 ${name} 这个选项${meant ? `，是 ${meant} 吗？` : '，它不起作用。'}`)
  }
  const missing = ['endpoint', 'api'].filter((name) => !options[name])
  if (missing[0]) throw new TypeError(`createUploader 缺少 ${missing.join('、')}`)
  if (/\/upload-params\/*$/.test(options.endpoint)) console.warn('createUploader 的 endpoint 不要带 /upload-params')
}

/** At most two letters differ, wherever they stand. */
function isLike(one, other) {
  const left = (from, taken) => [...taken].reduce((rest, letter) => rest.replace(letter, ''), from).length
  return left(one, other) + left(other, one) < 3
}

module.exports = { typeNames, checkOptions }
