"""What an eye sees at once and no test of words does: text that is cut or faint on a page, asked of the browser."""

CUT = """() => {
  const own = 'bdi, .vh, .skip, input';
  const told = (e) => e.closest(own) || e.querySelector(':scope > bdi.ell')
    || (getComputedStyle(e).textOverflow === 'ellipsis' && e.querySelector('bdi'));
  const clips = (value) => value === 'hidden' || value === 'clip';
  const cut = [...document.querySelectorAll('body *')].filter((e) => {
    const style = getComputedStyle(e);
    if (!e.getClientRects().length || style.display === 'inline' || told(e)) return false;
    return (clips(style.overflowX) && e.scrollWidth > e.clientWidth + (style.textOverflow === 'ellipsis' ? 0 : 1))
      || (clips(style.overflowY) && e.scrollHeight > e.clientHeight + 4);
  }).map((e) => `${e.tagName.toLowerCase()}.${e.getAttribute('class')} ${e.scrollWidth}/${e.clientWidth} `
    + `${e.scrollHeight}/${e.clientHeight} ${e.textContent.trim().replace(/\\s+/g, ' ').slice(0, 60)}`);
  const pen = document.createElement('canvas').getContext('2d');
  for (const e of document.querySelectorAll('input[placeholder]')) {
    if (!e.getClientRects().length || e.value) continue;
    const style = getComputedStyle(e);
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const key = e.parentElement.querySelector('kbd');
    const box = e.getBoundingClientRect();
    const right = key && key.getClientRects().length && key.getBoundingClientRect().left < box.right
      ? key.getBoundingClientRect().left : box.right - parseFloat(style.paddingRight);
    const room = right - box.left - parseFloat(style.paddingLeft), needs = pen.measureText(e.placeholder).width;
    if (needs > room) cut.push(`input ${Math.ceil(needs)}/${Math.floor(room)} ${e.placeholder}`);
  }
  return cut;
}"""
"""Every element whose text does not fit where it is shown. A person's own words (``bdi``) may end in dots,
and what is typed moves along in its field."""

TEXTS = """() => {
  const parse = (color) => (color.match(/[\\d.]+/g) || []).map(Number);
  const linear = (c) => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map((c) => linear(c / 255))
    .reduce((sum, c, n) => sum + c * [.2126, .7152, .0722][n], 0);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c; } return [0, 0, 0]; };
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const e = node.parentElement, style = getComputedStyle(e);
    if (!node.data.trim() || node.data === '\\u200b' || !e.getClientRects().length) continue;
    if (e.closest('.vh, .skip, [hidden], script, [disabled]')) continue;
    const [a, b] = [light(parse(style.color)), light(ground(e))].sort((x, y) => y - x);
    found.push([node.data.trim().slice(0, 20), parseFloat(style.fontSize), (a + .05) / (b + .05)]);
  }
  return found;
}"""
"""Every text that is seen: its beginning, its size in pixels, its contrast to the ground behind it."""
