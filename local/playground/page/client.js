/** The mini-program client, as it is, in a browser: its ES modules are served under /client/. */

/** @returns {Promise<any>} createUploader, createLargeUploader, createBrowserApi, filesFrom and english */
export async function loadClient() {
  const modules = await Promise.all(['index', 'parts', 'browser', 'english'].map((name) => import(`/client/${name}.mjs`)))
  return Object.assign({}, ...modules)
}

const ignore = (/** @type {any[]} */ ..._) => {}

/** The api handed to the client, telling what goes over the wire; `change` may alter an upload before it is sent. */
export function observed(api, { onForm = ignore, onAnswer = ignore, change = (options) => options }) {
  return {
    ...api,
    uploadFile: (options) => {
      const changed = change(options)
      onForm(changed)
      return api.uploadFile({ ...changed, success: (res) => { onAnswer(res, changed); options.success(res) } })
    },
  }
}
