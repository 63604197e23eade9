/** The line between this page and the services, played like a phone's: slow where wanted, and cut for a while. */

const BYTES_A_SECOND = 3 * 1024 ** 2
export const CUT_SECONDS = 5
const LOST = { errMsg: 'request:fail net::ERR_INTERNET_DISCONNECTED' }
const ABORTED = { errMsg: 'request:fail abort' }

/** The api with this line in its way, and `cut()`, which ends when the network is back. */
export function createLine(api, isSlow) {
  const listeners = new Set()
  const underWay = new Set()
  let [free, isCut] = [0, false]

  /** Milliseconds until these bytes are through; one request after the other has the line. */
  function delayOf(bytes) {
    if (!bytes || !isSlow()) return 0
    free = Math.max(free, performance.now()) + 1000 * bytes / BYTES_A_SECOND
    return free - performance.now()
  }

  function request(options) {
    let task = { abort: () => {} }
    const end = (tell, answer) => { if (underWay.delete(breakOff)) tell(answer) }
    const send = () => {
      if (isCut) return breakOff(LOST)
      const success = (res) => end(options.success, res)
      task = api.request({ ...options, success, fail: (res) => end(options.fail, res) })
    }
    const timer = setTimeout(send, isCut ? 0 : delayOf(options.data.byteLength))
    function breakOff(why) {
      clearTimeout(timer)
      end(options.fail, why)
      task.abort()
    }
    underWay.add(breakOff)
    return { abort: () => breakOff(ABORTED) }
  }

  function turn(isConnected) {
    isCut = !isConnected
    listeners.forEach((listener) => listener({ isConnected }))
  }

  // A phone tells that its network is gone, and whatever is on its way is lost.
  async function cut() {
    turn(false)
    free = 0
    underWay.forEach((breakOff) => breakOff(LOST))
    await new Promise((go) => { setTimeout(go, 1000 * CUT_SECONDS) })
    turn(true)
  }

  const onNetworkStatusChange = (listener) => { listeners.add(listener); api.onNetworkStatusChange(listener) }
  const offNetworkStatusChange = (listener) => { listeners.delete(listener); api.offNetworkStatusChange(listener) }
  return { api: { ...api, request, onNetworkStatusChange, offNetworkStatusChange }, cut }
}
