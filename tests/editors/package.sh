#!/bin/bash
# package.sh BINARY OUT.vsix: the VS Code extension with that binary in it, as a user would install it.
# Packed from a copy, so that the checkout keeps no binary a later run could pick up.
set -euo pipefail
binary=$(realpath "$1") out=$(realpath -m "$2")
extension=$(cd "$(dirname "$0")/../../editors/vscode" && pwd)
(cd "$extension" && npm run --silent check && npm run --silent build -- --log-level=error)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
cp -r "$extension"/{package.json,toml.json,README.md,LICENSE,.vscodeignore,dist} "$stage/"
mkdir "$stage/server"
strip -o "$stage/server/rubricator" "$binary" 2>/dev/null || cp "$binary" "$stage/server/rubricator"
chmod +x "$stage/server/rubricator"
(cd "$stage" && "$extension/node_modules/.bin/vsce" package --no-dependencies --allow-missing-repository --out "$out" >/dev/null)
