import { sizeText } from './errors.mjs'
import { typeNames } from './names.mjs'

// Tables without a prototype: codes and types come from elsewhere.
const SENTENCES = {
  __proto__: null,
  callback_failed: 'The file is stored, but was not registered. Please do not upload it again.',
  form_expired: 'The upload was too slow. Please try again on another network.',
  file_exists: 'A file of this name exists already.',
  already_exists: 'A file of this name exists already.',
  already_complete: 'The file is stored already. There is no need to upload it again.',
  already_published: 'The file is published already and cannot be taken back.',
  not_uploaded: 'The file is not stored yet. Please upload it again.',
  incomplete: 'The file is not complete yet. Please go on with the upload.',
  upload_gone: 'This upload is no longer valid. Please upload the file again.',
  device_full: 'The phone has no space left. Please free some and try again.',
  empty_file: 'The file is empty or too small. Please choose another one.',
  unauthorized: 'Your login has ended. Please log in again.',
  forbidden: 'This account may not do this.',
  permission_denied: 'Access was not allowed. Please allow it in the settings.',
  aborted: 'Cancelled.',
  timeout: 'No answer arrived. Please check the network and try again.',
  interrupted: 'The upload was interrupted. Please try again.',
  tls_failed: 'No secure connection. Please check the network and the date of the phone.',
  file_unreadable: 'The file cannot be read. Please choose it again.',
  login_failed: 'The login failed. Please try again later.',
  unknown_outcome: 'The file may be stored. Please look before you upload it again.',
  network: 'No connection. Please check the network and try again.',
}
const BROKEN = 'Something is wrong with the service. Please contact support.'

/** The sentences in English: `createUploader({ texts: english, ... })`. */
function english({ code, detail, limits, quota, retryAfter }) {
  const { maxSize, minSize, contentTypes = ['*/*'] } = Object(limits)
  if (code === 'too_large') return `The file is too large. ${maxSize ? `At most ${sizeText(maxSize)}.` : 'Please choose a smaller one.'}`
  if (code === 'bad_request' && minSize) return `The file is too small. At least ${sizeText(minSize, Math.ceil)}.`
  if (code === 'unsupported_type') return `This kind of file is not accepted. Please choose ${kinds(contentTypes)}.`
  if (code === 'too_many_requests') return `Too many requests. ${again(retryAfter)}`
  if (code === 'quota_exceeded') return used(Object(quota), retryAfter)
  if (/unavailable|internal|busy/.test(code)) return `The service is busy. ${again(retryAfter)}`
  if (/being erased/.test(detail)) return 'Your data is being deleted. Please come back later.'
  return SENTENCES[code] || BROKEN
}

function again(seconds) {
  const [count, unit] = seconds > 90 ? [Math.ceil(seconds / 60), 'minute'] : [seconds, 'second']
  return `Please try again ${count ? `in ${count} ${unit}${count === 1 ? '' : 's'}` : 'later'}.`
}

function used({ filesLeft, bytesLeft, resetsAt }, seconds) {
  const left = [filesLeft && `${filesLeft} file${filesLeft === 1 ? '' : 's'}`, bytesLeft && sizeText(bytesLeft)]
  const some = !left.includes(0) && left.filter(Boolean).join(', ')
  const [then, now] = [0, seconds].map((before) => new Date(Date.parse(resetsAt) - before * 1000))
  const day = then.getDate() === now.getDate() ? 'today' : 'tomorrow'
  const back = resetsAt ? `There are more at ${then.getHours()}:00 ${day}.` : 'Please try again tomorrow.'
  return `Today's uploads are ${some ? `down to ${some}, too little for this` : 'used up'}. ${back}`
}

function kinds(contentTypes) {
  return (!contentTypes.includes('*/*') && typeNames(contentTypes, true).join(', ')) || 'another one'
}

export { english }
