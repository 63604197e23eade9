'use strict'

/** What cos-wx-sdk-v5's upload in slices asks of COS, in memory; signatures are not checked. Parts are as COS has them. */

const crypto = require('node:crypto')
const http = require('node:http')

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'

async function startCos() {
  const uploads = new Map()
  const objects = new Map()
  const server = http.createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const { status = 200, headers = {}, body = '' } = answer({ uploads, objects }, request, Buffer.concat(chunks))
    response.writeHead(status, { 'x-cos-request-id': 'NWY=', 'content-type': 'application/xml', ...headers }).end(body && HEAD + body)
  })
  await new Promise((go) => { server.listen(0, '127.0.0.1', go) })
  const stop = () => { server.close(); server.closeAllConnections() }
  return { origin: `http://127.0.0.1:${server.address().port}`, objects, stop }
}

function answer({ uploads, objects }, { method, url }, body) {
  const { pathname, searchParams } = new URL(url, 'http://cos')
  const key = decodeURIComponent(pathname.slice(1))
  const id = searchParams.get('uploadId')
  const upload = uploads.get(id)
  if (method === 'GET' && searchParams.has('uploads')) return { body: listOf(uploads, searchParams.get('prefix')) }
  if (method === 'POST' && searchParams.has('uploads')) {
    const made = crypto.randomUUID()
    uploads.set(made, { key, parts: new Map() })
    return { body: `<InitiateMultipartUploadResult><Key>${key}</Key><UploadId>${made}</UploadId></InitiateMultipartUploadResult>` }
  }
  if (!upload) return { status: 404, body: '<Error><Code>NoSuchUpload</Code><Message>The upload does not exist.</Message></Error>' }
  if (method === 'PUT') {
    const etag = `"${crypto.createHash('md5').update(body).digest('hex')}"`
    upload.parts.set(Number(searchParams.get('partNumber')), { etag, body })
    return { headers: { etag } }
  }
  if (method === 'GET') return { body: partsOf(upload) }
  return complete({ uploads, objects }, id, upload, body.toString())
}

function listOf(uploads, prefix) {
  const rows = [...uploads].filter(([, { key }]) => key.startsWith(prefix || ''))
    .map(([id, { key }]) => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><StorageClass>STANDARD</StorageClass></Upload>`)
  return `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${rows.join('')}</ListMultipartUploadsResult>`
}

function partsOf({ parts }) {
  const rows = [...parts].sort(([one], [other]) => one - other)
    .map(([number, { etag, body }]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag><Size>${body.length}</Size></Part>`)
  return `<ListPartsResult><IsTruncated>false</IsTruncated>${rows.join('')}</ListPartsResult>`
}

function complete({ uploads, objects }, id, { key, parts }, xml) {
  const wanted = [...xml.matchAll(/<PartNumber>(\d+)<\/PartNumber>\s*<ETag>(.+?)<\/ETag>/g)]
    .map(([, number, etag]) => [Number(number), etag.replace(/&quot;/g, '"')])
  const isThere = ([number, etag]) => parts.has(number) && parts.get(number).etag === etag
  if (!wanted.length || !wanted.every(isThere)) return { status: 400, body: '<Error><Code>InvalidPart</Code><Message>A part is not there.</Message></Error>' }
  objects.set(key, Buffer.concat(wanted.map(([number]) => parts.get(number).body)))
  uploads.delete(id)
  return { body: `<CompleteMultipartUploadResult><Location>${key}</Location><Key>${key}</Key><ETag>"${'0'.repeat(32)}-${wanted.length}"</ETag></CompleteMultipartUploadResult>` }
}

module.exports = { startCos }
