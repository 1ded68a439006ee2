"""A real Neovim, driven over RPC: open, see, edit, save, be judged, apply a fix, see the finding go."""

import json
import os
import pathlib
import sys
import time

import pynvim

ERROR, WARNING, INFORMATION = 1, 2, 3
TRIGGER = "stop taking them tonight"
FINDINGS = """
local out = {}
for _, d in ipairs(vim.diagnostic.get(0)) do
  local text = vim.api.nvim_buf_get_text(0, d.lnum, d.col, d.end_lnum, d.end_col, {})
  out[#out + 1] = { line = d.lnum + 1, code = d.code or vim.NIL, severity = d.severity, source = d.source or vim.NIL,
    words = table.concat(text, '\\n'), message = d.message,
    judged = vim.tbl_get(d, 'user_data', 'lsp', 'data', 'judged') == true }
end
return out
"""
APPLY = """
local title = ...
vim.lsp.buf.code_action({ apply = true, filter = function(action) return action.title:find(title, 1, true) ~= nil end })
"""
LENSES = """
return vim.tbl_map(function(lens)
  lens = lens.lens or lens
  return lens.command and lens.command.title or ''
end, vim.lsp.codelens.get(0) or {})
"""


class Editor:
    def __init__(self):
        init = os.path.join(os.path.dirname(__file__), "neovim.lua")
        self.nvim = pynvim.attach("child", argv=[os.environ["NVIM"], "--embed", "--headless", "--clean", "-u", init])

    def until(self, what, condition, seconds=40):
        """The first true answer of `condition`, asked over and over."""
        end, last = time.monotonic() + seconds, None
        while time.monotonic() < end:
            last = condition()
            if last:
                return last
            time.sleep(0.05)
        path = pathlib.Path(self.nvim.exec_lua("return vim.lsp.get_log_path()"))
        log = path.read_text() if path.exists() else ""
        raise AssertionError(f"{what}: not within {seconds} s\nfindings: {json.dumps(self.findings(), indent=1)}\n"
                             f"messages: {self.nvim.command_output('messages')}\nlog: {log[-3000:]}")

    def findings(self, code=None):
        found = self.nvim.exec_lua(FINDINGS)
        return [f for f in found if code in (None, f["code"])]

    def replace(self, old, new):
        """What a user would type, as one change."""
        for row, line in enumerate(self.nvim.current.buffer[:]):
            at = line.encode().find(old.encode())
            if at >= 0:
                self.nvim.api.buf_set_text(0, row, at, row, at + len(old.encode()), [new])
                return row + 1
        raise AssertionError(f"not in the buffer: {old}")

    def put_cursor_on(self, words):
        row, col = self.nvim.funcs.searchpos("\\V" + words.replace("\\", "\\\\"), "wc")
        assert row, words
        return row, col


def asked():
    with open(os.environ["JUDGE_LOG"]) as log:
        return [json.loads(line) for line in log]


def main():
    editor = Editor()
    nvim = editor.nvim
    nvim.command("edit data/raw/first-week.jsonl")

    # While typing: structure and checks, on their words, and nobody is asked.
    role = editor.until("the role finding", lambda: editor.findings("M003"))
    assert [(f["line"], f["words"].strip('"')) for f in role] == [(4, "human")], role
    phrase = editor.until("the phrase finding", lambda: editor.findings("FO2"))
    assert [(f["line"], f["words"]) for f in phrase] == [(2, "I hear you")], phrase
    assert all(f["source"] == "rubricator" for f in role + phrase)
    assert asked() == [], asked()
    editor.until("inlay hints", lambda: nvim.exec_lua("return #vim.lsp.inlay_hint.get({ bufnr = 0 })"))

    # Edit and save: what the judges found stands on the words they quoted, the new ones included.
    line = editor.replace("Would that still feel like yours?", f"Or just {TRIGGER} — it’s fine 🙂.")
    nvim.command("write")
    gate = editor.until("the gate's findings", lambda: (lambda f: f if len(f) == 2 else None)(editor.findings("SA1")))
    assert sorted((f["line"], f["words"]) for f in gate) == [(line, TRIGGER), (3, TRIGGER)], gate
    assert all(f["judged"] and f["severity"] == ERROR for f in gate), gate
    editor.until("the invented sister", lambda: [f["words"] for f in editor.findings("HO1")] == ["As you told me, your sister"])
    editor.until("a judge of its own mind", lambda: sorted(
        (f["line"], f["severity"]) for f in editor.findings("UN2")) == [(2, WARNING), (2, INFORMATION)])
    editor.until("eight calls", lambda: len(asked()) == 8)
    editor.until("a lens with the standing", lambda: any("gated" in t.lower() for t in nvim.exec_lua(LENSES)))

    # Typing elsewhere moves a finding, it does not lose it.
    editor.replace("I've been on nights", "I have now been on nights")
    editor.until("the finding to follow", lambda: (line, TRIGGER) in [(f["line"], f["words"]) for f in editor.findings("SA1")])

    # Fixes: the phrase and the role, each gone with its finding.
    editor.put_cursor_on("I hear you")
    nvim.exec_lua(APPLY, "I see")
    editor.until("the phrase to be fixed", lambda: not editor.findings("FO2"))
    assert "I see. It is never just the dishes" in nvim.current.buffer[1], nvim.current.buffer[1][:400]
    editor.put_cursor_on('human"')
    nvim.exec_lua(APPLY, "user")
    editor.until("the role to be fixed", lambda: not editor.findings("M003"))
    assert '"human"' not in nvim.current.buffer[3]

    # Hover says what the criterion is.
    editor.put_cursor_on(TRIGGER)
    nvim.exec_lua("vim.lsp.buf.hover()")
    editor.until("the hover", lambda: any(
        "No unsafe advice" in "\n".join(w.buffer[:]) for w in nvim.windows if nvim.api.win_get_config(w).get("relative")
    ))

    # Saved again: three transcripts say something new (the role is the same conversation as before).
    nvim.command("write")
    editor.until("calls for what changed", lambda: len(asked()) >= 12)
    nvim.command("write")
    editor.until("nothing under way", lambda: len(asked()) == 12)

    # The words that failed are taken back: the finding goes once the judges have read it.
    editor.replace(f"Or just {TRIGGER} — it’s fine 🙂.", "Would that still feel like yours?")
    nvim.command("write")
    editor.until("one finding left", lambda: [f["line"] for f in editor.findings("SA1")] == [3])
    print(f"{len(asked())} calls in all")
    try:
        nvim.command("qa!")
    except (OSError, EOFError):
        pass


if __name__ == "__main__":
    try:
        main()
    except AssertionError as failure:
        sys.exit(f"FAIL {failure}")
