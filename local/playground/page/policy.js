/**
 * A signed form's policy in words, and ways to spoil a good form: each is { id, how(texts), spoil(options), fault } and changes one
 * thing. Time cannot be turned, so an expired form is a fault that the local OSS plays.
 */

export function decodePolicy(formData) {
  const bytes = Uint8Array.from(atob(formData.policy), (letter) => letter.charCodeAt(0))
  return JSON.parse(new TextDecoder().decode(bytes))
}

export function encodePolicy(policy) {
  const bytes = new TextEncoder().encode(JSON.stringify(policy))
  return btoa(String.fromCharCode(...bytes))
}

/** Each condition as { written, said }. */
export function explain(policy, texts) {
  return policy.conditions.map((condition) => {
    const { field, values } = read(condition)
    const rule = texts.rules[field]
    const said = rule ? rule(...values) : texts.otherRule(field)
    return { written: shortened(JSON.stringify(condition), 110), said }
  })
}

function read(condition) {
  if (!Array.isArray(condition)) {
    const [[field, value]] = Object.entries(condition)
    return { field: field.toLowerCase(), values: [value] }
  }
  const [mode, ...rest] = condition
  if (mode === 'content-length-range') return { field: mode, values: rest }
  return { field: String(rest[0]).replace(/^\$/, '').toLowerCase(), values: rest.slice(1) }
}

export function shortened(text, most) {
  return text.length > most ? `${text.slice(0, most)}…` : text
}

// Spoiling

const FIVE_GB = 5 * 1024 ** 3

function setField(id, field, value) {
  return { id, how: (texts) => texts.changed(field, value), spoil: (options) => withField(options, field, value), fault: '' }
}

function withField(options, field, value) {
  return { ...options, formData: { ...options.formData, [field]: value } }
}

function withoutField(options, field) {
  const { [field]: _, ...formData } = options.formData
  return { ...options, formData }
}

export const TAMPERINGS = [
  setField('otherKey', 'key', 'uploads/somebody-else.jpg'),
  setField('otherType', 'x-oss-content-type', 'text/html'),
  {
    id: 'tooLarge',
    how: (texts) => texts.tooLargeHow,
    spoil: (options) => ({ ...options, filePath: new Blob([options.filePath, 'x']) }),
    fault: '',
  },
  { id: 'expired', how: (texts) => texts.expiredHow, spoil: (options) => options, fault: 'expired_form' },
  {
    id: 'noToken',
    how: (texts) => texts.removed('x-oss-security-token'),
    spoil: (options) => withoutField(options, 'x-oss-security-token'),
    fault: '',
  },
  setField('publicAcl', 'x-oss-object-acl', 'public-read'),
  {
    id: 'otherPolicy',
    how: (texts) => texts.otherPolicyHow,
    spoil: (options) => withField(options, 'policy', largerPolicy(options.formData)),
    fault: '',
  },
]

function largerPolicy(formData) {
  const policy = decodePolicy(formData)
  const conditions = policy.conditions.map((each) => (
    each[0] === 'content-length-range' ? ['content-length-range', 0, FIVE_GB] : each
  ))
  return encodePolicy({ ...policy, conditions })
}

/** What OSS says in its XML. */
export function readRefusal({ statusCode, data }) {
  const document = new DOMParser().parseFromString(data || '<none/>', 'application/xml')
  const text = (name) => document.querySelector(name)?.textContent || ''
  return { status: statusCode, code: text('Code'), message: text('Message'), ec: text('EC'), requestId: text('RequestId') }
}
