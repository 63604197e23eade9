const UNITS = ['B', 'KB', 'MB', 'GB']

/** 字节数，如 1.5 MB。 */
function sizeText(bytes) {
  let value = bytes || 0
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit ? value.toFixed(1) : value} ${UNITS[unit]}`
}

/** 传了多少、速度与剩余时间，如 1.0 MB / 9.0 MB，1.5 MB/s，还要 3 分钟。 */
function progressText({ loaded, total, speed, timeLeft }) {
  const sizes = `${sizeText(loaded)} / ${sizeText(total)}`
  if (!speed) return sizes
  const left = timeLeft < 60 ? `${timeLeft} 秒` : `${Math.ceil(timeLeft / 60)} 分钟`
  return `${sizes}，${sizeText(speed)}/s，还要 ${left}`
}

/** 大视频下一步能做什么，以页面的方法为名。 */
const STEPS = { pause: '暂停', resume: '继续', start: '接着传' }

module.exports = { progressText, STEPS }
