/** The page's elements: found by id, made anew. */

export const $ = (id) => /** @type {any} */ (document.getElementById(id))

export function element(tag, options = {}, ...children) {
  const made = Object.assign(document.createElement(tag), options)
  made.append(...children)
  return made
}
