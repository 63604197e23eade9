/** Three routes through a TypeScript client whose types openapi-typescript generates. */

import createClient from 'openapi-fetch'

import type { paths } from './schema.js'

declare const process: { argv: string[] }

const client = createClient<paths>({ baseUrl: process.argv[2] })
const login = await client.POST('/login', { body: { code: 'local-typescript' } })
const headers = { Authorization: `Bearer ${login.data!.token}` }
const form = await client.POST('/upload-params', { headers, body: { profile: 'avatar', filename: 'a.png' } })
if (!form.data || !('formData' in form.data)) throw new Error(JSON.stringify(form))
const confirmed = await client.POST('/confirm', { body: { ticket: form.data.ticket! } })

console.log(JSON.stringify({ fields: Object.keys(form.data.formData), code: confirmed.error?.error.code }))
