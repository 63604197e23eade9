const OPTIONS = 'endpoint api profile concurrency timeout retries backoff getToken user digest texts compress enableHttp2 enableQuic now carry partsFrom'.split(' ')

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

export { checkOptions }
