// Runs in the page under test; what it finds stands in an attribute of <html> when the browser writes the page out.
const wrong = [];
const name = e => e.tagName + (e.className && e.className.baseVal === undefined ? '.' + e.className : '') + ' "' + e.textContent.trim().slice(0, 40) + '"';
const root = document.documentElement;

// Nothing is wider than the window, but what scrolls by itself.
if (root.scrollWidth > innerWidth + 1) wrong.push(`${root.scrollWidth} wide in a window of ${innerWidth}`);

// Everything that can be used is reached with the keyboard, and shows it.
const used = [...document.querySelectorAll('a[href], summary')].filter(e => e.checkVisibility());
for (const e of used) {
  e.focus();
  if (document.activeElement !== e) wrong.push('no focus: ' + name(e));
}
document.activeElement.blur();

// Text stands out from what is behind it: WCAG 2.2, 1.4.3.
const channels = color => {
  const parts = color.match(/[\d.]+/g).map(Number);
  return { rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1 };
};
const luminance = rgb => {
  const [r, g, b] = rgb.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
};
const behind = e => {
  for (let at = e; at; at = at.parentElement) {
    const { rgb, alpha } = channels(getComputedStyle(at).backgroundColor);
    if (alpha === 1) return rgb;
  }
  return matchMedia('(prefers-color-scheme: dark)').matches ? [0, 0, 0] : [255, 255, 255];
};
const texts = new Set();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const e = walker.currentNode.parentElement;
  if (walker.currentNode.data.trim() && e.checkVisibility() && !e.closest('style, script, svg')) texts.add(e);
}
for (const e of texts) {
  const ratio = contrast(channels(getComputedStyle(e).color).rgb, behind(e));
  if (ratio < 4.5) wrong.push(`contrast ${ratio.toFixed(2)}: ${name(e)}`);
}
for (const e of document.querySelectorAll('svg text')) {
  const mark = e.previousElementSibling?.classList.contains('mark');
  const back = mark ? channels(getComputedStyle(e.previousElementSibling).fill).rgb : behind(e.closest('svg'));
  const ratio = contrast(channels(getComputedStyle(e).fill).rgb, back);
  if (ratio < 4.5) wrong.push(`contrast ${ratio.toFixed(2)} in the timeline: ${e.textContent}`);
}

// Words of the timeline do not lie on each other.
const boxes = [...document.querySelectorAll('svg')].map(svg => [...svg.querySelectorAll('text')].map(e => [e, e.getBoundingClientRect()]));
for (const svg of boxes) {
  svg.forEach(([a, p], i) => svg.slice(i + 1).forEach(([b, q]) => {
    const over = Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1 && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 3;
    if (over) wrong.push(`"${a.textContent}" on "${b.textContent}"`);
  }));
}

// Short words are not broken in the middle: they stand on one line.
for (const e of document.querySelectorAll('td:not(.code)')) {
  if (!e.checkVisibility() || e.querySelector('br') || !/^[\w.]{1,16}$/.test(e.textContent.trim())) continue;
  const range = document.createRange();
  range.selectNodeContents(e);
  const lines = new Set([...range.getClientRects()].map(r => Math.round(r.top)));
  if (lines.size > 1) wrong.push('broken: ' + name(e));
}

root.setAttribute('data-texts', texts.size);
root.setAttribute('data-used', used.length);
root.setAttribute('data-dark', matchMedia('(prefers-color-scheme: dark)').matches);
root.setAttribute('data-width', innerWidth);
root.setAttribute('data-wrong', wrong.slice(0, 20).join('; '));
