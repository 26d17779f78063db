#!/usr/bin/env bash
# Checks the page: dependencies from the lock file, types, lint, unit tests, whether dist/ matches the sources, its size; browser tests if
# Chromium is installed, including pages written by the program and its server if it has been built. Skips, and says so, without Node.js.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
if ! command -v npm >/dev/null; then
    echo "skipped: there is no Node.js"
    exit 0
fi
if ! npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; then
    if [[ ! -d node_modules ]]; then
        echo "skipped: the packages cannot be fetched"
        exit 0
    fi
    exit 1
fi
if grep -nE '"resolved"|https?://[^"]*registry' package-lock.json; then
    echo "package-lock.json names a registry; make it with: npm install --omit-lockfile-registry-resolved"
    exit 1
fi
npx tsc --noEmit
node lint.mjs
node test/unit.mjs
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
node build.mjs "$fresh/dist" "$fresh/hashes.rs"
diff -rq "$fresh/dist" dist || { echo "dist/ is not what the sources make: run node build.mjs and commit"; exit 1; }
diff "$fresh/hashes.rs" crate/hashes.rs || { echo "crate/hashes.rs is not what the sources make: run node build.mjs and commit"; exit 1; }
size=$(cat dist/app.js dist/app.css | gzip -9n | wc -c)
echo "script and style of the page: $size bytes gzipped"
if ((size > 80000)); then
    echo "that is more than 80 kB"
    exit 1
fi
node test/browser.mjs
node test/pages.mjs
node test/live.mjs
node test/flame.mjs
node test/formats.mjs
