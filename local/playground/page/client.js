/** The mini-program client, as it is, in a browser: its ES modules are served under /client/. */

/** @returns {Promise<any>} createUploader, createLargeUploader, createBrowserApi, filesFrom and english */
export async function loadClient() {
  const modules = await Promise.all(['index', 'parts', 'browser', 'english'].map((name) => import(`/client/${name}.mjs`)))
  return Object.assign({}, ...modules)
}

const ignore = (/** @type {any[]} */ ..._) => {}

/**
 * The api handed to the client, telling what goes over the wire; `change` may alter an upload before it is sent.
 * `onPart(number)` is told when a part begins, and `onPart(number, isStored)` when it has ended.
 */
export function observed(api, { onRequest = ignore, onForm = ignore, onAnswer = ignore, onPart = ignore, change = (options) => options }) {
  return {
    ...api,
    request: (options) => {
      const number = options.method === 'PUT' && Number(new URL(options.url).searchParams.get('partNumber'))
      if (number) onPart(number)
      return api.request({
        ...options,
        success: (res) => {
          if (number) onPart(number, res.statusCode === 200)
          else onRequest(options, res)
          options.success(res)
        },
        fail: (res) => {
          if (number) onPart(number, false)
          options.fail(res)
        },
      })
    },
    uploadFile: (options) => {
      const changed = change(options)
      onForm(changed)
      return api.uploadFile({ ...changed, success: (res) => { onAnswer(res, changed); options.success(res) } })
    },
  }
}
