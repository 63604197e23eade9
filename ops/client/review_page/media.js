/** What a reviewer judges: a picture, a video, a recording, or a link to any other file. */

import { element } from './elements.js'

const kindOf = (item) => item.contentType.split('/')[0]

/** Fetches a picture before it is shown. */
export function preload(item) {
  if (item && kindOf(item) === 'image') Object.assign(new Image(), { referrerPolicy: 'no-referrer', src: item.url })
}

/** Shows an item in `stage`; `over(isSeen)` is called once, when it can be judged or cannot be shown. */
export function showMedia(stage, item, texts, over) {
  const end = (isSeen, sentence = '') => {
    if (stage.firstChild !== shown) return
    if (sentence) stage.replaceChildren(notice(item, texts, sentence))
    over(isSeen)
  }
  const shown = made(item, texts, end)
  stage.className = 'stage'
  stage.replaceChildren(shown)
  if (kindOf(item) === 'image') stage.append(element('p', { className: 'quiet waiting', textContent: texts.loading }))
  if (shown.tagName === 'P') end(false, texts.notShown)
}

function made(item, texts, end) {
  const src = { src: item.url, referrerPolicy: 'no-referrer' }
  const once = { once: true }
  if (kindOf(item) === 'image') {
    const picture = element('img', { ...src, alt: texts.picture(item.key) })
    picture.addEventListener('load', () => { picture.nextSibling?.remove(); end(true) }, once)
    picture.addEventListener('error', () => end(false, texts.cannotShow), once)
    picture.addEventListener('click', () => picture.parentElement?.classList.toggle('whole'))
    return picture
  }
  if (!['video', 'audio'].includes(kindOf(item))) return element('p')
  const player = element(kindOf(item), { ...src, controls: true, preload: 'auto' })
  player.addEventListener('loadeddata', () => end(true), once)
  player.addEventListener('error', () => end(false, texts.cannotPlay), once)
  return player
}

function notice(item, texts, sentence) {
  const link = element('a', { href: item.url, target: '_blank', rel: 'noreferrer', className: 'button', textContent: texts.open })
  return element('div', { className: 'notice' }, element('p', { textContent: sentence }), link)
}
