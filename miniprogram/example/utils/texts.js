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

/** 速度与剩余时间，如 1.5 MB/s，还要 3 分钟。 */
function speedText(bytesPerSecond, seconds) {
  if (!bytesPerSecond) return ''
  const left = seconds < 60 ? `${seconds} 秒` : `${Math.ceil(seconds / 60)} 分钟`
  return `${sizeText(bytesPerSecond)}/s，还要 ${left}`
}

const STATES = {
  waiting: '等待上传',
  uploading: '上传中',
  paused: '已暂停',
  done: '已完成',
  failed: '上传失败',
  cancelled: '已取消',
}

module.exports = { sizeText, speedText, STATES }
