/** The mini-program client, as it is, in a browser: its files are CommonJS modules served under /client/. */

const modules = new Map()

async function load(name) {
  if (!modules.has(name)) modules.set(name, await evaluate(name))
  return modules.get(name)
}

async function evaluate(name) {
  const response = await fetch(`/client/${name}.js`)
  if (!response.ok) throw new Error(`/client/${name}.js: ${response.status}`)
  const text = await response.text()
  const wanted = [...text.matchAll(/require\('\.\/(\w+)'\)/g)].map(([, other]) => other)
  const found = Object.fromEntries(await Promise.all(wanted.map(async (other) => [`./${other}`, await load(other)])))
  const module = { exports: {} }
  new Function('require', 'module', text)((id) => found[id], module)
  return module.exports
}

/** @returns {Promise<any>} createUploader, createBrowserApi and filesFrom */
export async function loadClient() {
  const [client, browser] = await Promise.all([load('index'), load('browser')])
  return { ...client, ...browser }
}

/** The api handed to the client, telling what goes over the wire; `change` may alter an upload before it is sent. */
export function observed(api, { onRequest, onForm, onAnswer, change = (options) => options }) {
  return {
    ...api,
    request: (options) => api.request({
      ...options,
      success: (res) => { onRequest(options, res); options.success(res) },
    }),
    uploadFile: (options) => {
      const changed = change(options)
      onForm(changed)
      return api.uploadFile({ ...changed, success: (res) => { onAnswer(res, changed); options.success(res) } })
    },
  }
}
