'use strict'

/** What H5 pages get instead of wx; the playground's tests use it in a real browser. */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { createBrowserApi } = require('../example/utils/oss-direct-upload/browser')

function browserOf(t) {
  const window = new EventTarget()
  const before = ['window', 'navigator'].map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)])
  const navigator = { onLine: true }
  Object.defineProperty(globalThis, 'window', { value: window, configurable: true })
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true })
  t.after(() => before.forEach(([name, descriptor]) => {
    if (descriptor) Object.defineProperty(globalThis, name, descriptor)
    else delete globalThis[name]
  }))
  const turn = (onLine) => {
    navigator.onLine = onLine
    window.dispatchEvent(new Event(onLine ? 'online' : 'offline'))
  }
  return { turn }
}

test('a session of a browser, which tells no users apart, ends with the page unless a storage is given', () => {
  assert.deepEqual(Object.keys(createBrowserApi()).filter((name) => /Storage/.test(name)), [])
  const kept = new Map()
  const storage = {
    getItem: (key) => kept.get(key) || null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  }
  const api = createBrowserApi({ storage })
  assert.equal(api.getStorageSync('a'), null)
  api.setStorageSync('a', { token: 'b' })
  assert.deepEqual(api.getStorageSync('a'), { token: 'b' })
  api.removeStorageSync('a')
  assert.equal(kept.size, 0)
})

test('a browser tells of its network, and stops when it is asked to', (t) => {
  const { turn } = browserOf(t)
  const [one, other] = [[], []]
  const api = createBrowserApi()
  const listener = ({ isConnected }) => one.push(isConnected)
  api.onNetworkStatusChange(listener)
  api.onNetworkStatusChange(({ isConnected }) => other.push(isConnected))
  turn(false)
  turn(true)
  api.offNetworkStatusChange(listener)
  turn(false)
  assert.deepEqual([one, other], [[false, true], [false, true, false]])
})

test('a login that the page refuses is a failed login', async () => {
  const api = createBrowserApi({ login: () => { throw new Error('no session') } })
  const { errMsg } = await new Promise((resolve) => { api.login({ fail: resolve }) })
  assert.equal(errMsg, 'login:fail no session')
})
