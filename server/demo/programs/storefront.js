// Renders the pages of a shop. usage: storefront.js SECONDS PAGES-A-SECOND
"use strict";
const zlib = require("node:zlib");
const crypto = require("node:crypto");

const kept = new Map();

function findItems(page) {
  return Array.from({ length: 120 }, (_, id) => ({ id: page * 120 + id, name: `item ${id}`, price: ((page * 31 + id * 7) % 5000) / 100, tags: ["new", "sale", "green"].slice(id % 3) }));
}

function sortItems(items) {
  return [...items].sort((a, b) => a.price - b.price || a.name.localeCompare(b.name));
}

function escapeHtml(text) {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

function renderItem(item) {
  return `<li class="${item.tags.join(" ")}"><a href="/item/${item.id}">${escapeHtml(item.name)}</a> <b>${item.price.toFixed(2)}</b></li>`;
}

function renderPage(items) {
  return `<!doctype html><title>Shop</title><ul>${items.map(renderItem).join("\n")}</ul>`;
}

function cachePage(page, html) {
  kept.set(page, { html, items: JSON.parse(JSON.stringify(findItems(page))) });
  if (kept.size > 400) kept.delete(kept.keys().next().value);
}

function handle(page) {
  const html = renderPage(sortItems(findItems(page)));
  if (page % 4 === 0) cachePage(page % 1600, html);
  const body = zlib.gzipSync(html, { level: 1 });
  return crypto.createHash("sha256").update(body).digest("hex");
}

const [seconds, rate] = process.argv.slice(2).map(Number);
const begun = Date.now();
let served = 0;
(function turn() {
  const due = Math.floor(((Date.now() - begun) / 1000) * rate);
  for (let n = 0; served < due && n < 20; n++) handle(served++);
  if (Date.now() - begun < seconds * 1000) return void setTimeout(turn, 5);
  setTimeout(() => process.exit(0), 1000);
})();
