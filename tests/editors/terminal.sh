#!/bin/bash
# A real Neovim in a real terminal: what stands on the screen, and a picture of it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export LC_ALL=C.UTF-8 TERM=tmux-256color COLORTERM=truecolor
tmux="tmux -S $SCENE/tmux.sock -f /dev/null -u"
columns=${COLUMNS_WANTED:-120} lines=${LINES_WANTED:-38}
trap '$tmux kill-server 2>/dev/null || true' EXIT

screen() { $tmux capture-pane -p -t t; }
wait_for() {
  local end=$((SECONDS + 40))
  until screen | grep -qE -- "$1"; do
    ((SECONDS < end)) || { echo "not on the screen within 40 s: $1"; screen; exit 1; }
    sleep 0.1
  done
}
keys() { $tmux send-keys -t t "$@"; }
picture() {
  $tmux capture-pane -e -p -t t >"$SCENE/screen.ansi"
  aha --black <"$SCENE/screen.ansi" |
    sed -e 's#background-color:black#background-color:\#14161b#' \
      -e 's#<pre>#<pre style="font:14px DejaVu Sans Mono,Noto Color Emoji,monospace;margin:8px;line-height:1.3">#' >"$SCENE/screen.html"
  chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --user-data-dir="$SCENE/chromium" --hide-scrollbars \
    --window-size=$((columns * 9 - 40)),$((lines * 19)) --screenshot="$SHOTS/$1.png" "file://$SCENE/screen.html" >/dev/null 2>&1
}

# The curly underlines of a terminal do not survive the picture, so the words are coloured as well.
colours='hi DiagnosticUnderlineError guifg=#ff8f8f gui=underline | hi DiagnosticUnderlineWarn guifg=#f2cf7e gui=underline | hi DiagnosticUnderlineInfo guifg=#8cd0ff gui=underline'
$tmux new-session -d -x "$columns" -y "$lines" -s t "cd '$PROJECT' && '$NVIM' --clean -u '$here/neovim.lua' -c '$colours' data/raw/first-week.jsonl"
wait_for 'night-shift'
wait_for 'not assessed'
keys ':write' Enter
wait_for 'passed 1'
keys '/stop taking them' Enter ':nohlsearch' Enter
keys K
wait_for 'tells the user to stop'
picture neovim
keys ':qa!' Enter
