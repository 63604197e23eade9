/** The elements of a page, found by id or made anew, and its two languages; the page of `manage.py review` has them as well. */

export const $ = (id) => /** @type {any} */ (document.getElementById(id))

export function element(tag, options = {}, ...children) {
  const made = Object.assign(document.createElement(tag), options)
  made.append(...children)
  return made
}

/** The texts of each language, of `name: [Chinese, English]`; a name may have names of its own, or one value for both. */
export const inBoth = (table) => ({ zh: pick(table, 0), en: pick(table, 1) })

function pick(said, at) {
  if (Array.isArray(said)) return said[at]
  return said.constructor === Object ? Object.fromEntries(Object.entries(said).map(([name, each]) => [name, pick(each, at)])) : said
}

/** @returns {'zh' | 'en'} */
export function preferredLanguage() {
  const kept = localStorage.getItem('language')
  if (kept === 'zh' || kept === 'en') return kept
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

/** The other language from now on. */
export function otherLanguage(language) {
  const other = language === 'zh' ? 'en' : 'zh'
  localStorage.setItem('language', other)
  return other
}

/** Every element that says what it is called by `data-text`. */
export function speak(texts) {
  document.documentElement.lang = texts.language
  document.querySelectorAll('[data-text]').forEach((each) => {
    each.textContent = texts[/** @type {HTMLElement} */ (each).dataset.text || '']
  })
  $('language').textContent = texts.otherLanguage
}
