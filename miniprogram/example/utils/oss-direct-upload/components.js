/** For `request-method` of TDesign's t-upload: each file that was chosen says how its upload ended. */
function requestMethod(uploader, common) {
  return async (files) => {
    const outcomes = await uploader.uploadAll(filesOf(uploader, files, common))
    outcomes.forEach(({ value, reason }, index) => Object.assign(files[index], value ? stored(value) : failed(reason)))
  }
}

/** For `bind:after-read` of Vant's van-uploader, as a method of the page: it keeps the page's list up to date. */
function afterRead(uploader, { list = 'fileList', ...common } = Object()) {
  return function onAfterRead({ detail }) {
    const chosen = [].concat(detail.file)
    const find = (url) => this.data[list].find((each) => each.url === url)
    const show = (url, values) => {
      this.setData({ [list]: this.data[list].map((each) => (each.url === url ? { ...each, ...values } : each)) })
    }
    this.setData({ [list]: this.data[list].concat(chosen.map((file) => ({ ...file, status: 'uploading', message: '0%' }))) })
    return Promise.all(filesOf(uploader, chosen, common).map(async (file) => {
      const { filePath } = file
      const onProgress = ({ progress }) => show(filePath, { message: `${progress}%` })
      const end = await uploader.upload({ ...file, onProgress }).promise.then(stored, failed)
      if (find(filePath)) show(filePath, end)
      else if (end.held) uploader.discard(end).catch(() => {}) // removed meanwhile
    }))
  }
}

function filesOf(uploader, files, common) {
  const tempFiles = files.map(({ url, name, size, type }) => ({ path: url, name, size, type }))
  return uploader.fromChosen({ tempFiles }).map((file) => ({ ...file, ...common }))
}

// `url` stays the path on the phone, which the component shows.
function stored({ key, receipt, state, held, ticket = '' }) {
  return { status: 'done', message: '', key, receipt, state, held, ticket }
}

function failed({ code, message, retryable }) {
  return { status: 'failed', message, code, retryable }
}

module.exports = { requestMethod, afterRead }
