/** A signed form's policy in words. */

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
