'use strict'

/** Our client, through the function itself to the local OSS, which checks every signature. */

const { createLargeUploader } = require('../../../miniprogram/oss-direct-upload/parts')
const { startLocalCloud } = require('../../../miniprogram/test/local_cloud')
const { main } = require('./run')
const { startUnsteady } = require('./unsteady_network')

main(async ({ phone, network, film }) => {
  const cloud = await startLocalCloud()
  const [oss, fc] = await Promise.all([cloud.oss, cloud.function].map((target, index) => (
    startUnsteady(target, { ...network, seed: network.seed + index })
  )))
  const through = (options) => phone.request({ ...options, url: options.url.replace(cloud.oss, oss.origin) })
  const uploader = createLargeUploader({ endpoint: fc.origin, api: { ...phone, request: through }, profile: 'video' })
  let key = ''
  return {
    upload: async () => { ({ key } = await uploader.upload({ ...film, name: 'film.mp4', contentType: 'video/mp4' }).promise) },
    stored: () => cloud.object(key),
    stop: async () => { oss.stop(); fc.stop(); await cloud.stop() },
  }
}).catch((error) => { console.error(error); process.exit(1) })
