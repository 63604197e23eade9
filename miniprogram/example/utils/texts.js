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

const STATES = {
  waiting: '等待上传',
  uploading: '上传中',
  done: '已完成',
  failed: '上传失败',
  cancelled: '已取消',
}

module.exports = { sizeText, STATES }
