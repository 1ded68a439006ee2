"""Review in a real Neovim with nothing but the keyboard: next, right, wrong, a note, an example, accept, the gate, and
what a critic found."""

import json
import pathlib
import sys

from neovim_rpc import LENSES, Editor

# The first choice of every menu, and one text for every question.
ANSWERS = """
vim.ui.select = function(items, _, choose) choose(items[1]) end
vim.ui.input = function(_, answer) answer('It is: "too" much.') end
"""
# Presses the quick fix that adds a criterion.
CRITIQUE_FIX = """
vim.lsp.buf.code_action({
  apply = true,
  filter = function(action) return vim.startswith(action.title, 'Critique: add') end,
})
"""
# A critic's finding as the command line keeps it.
CRITIQUE = {
    "kind": "critique", "id": "c-1", "at": "2026-11-24T10:00:00Z", "file": "config/rubric.yaml", "asked": "k",
    "judge": "j", "model": "m", "experts": [], "users": [], "synthesis": "s",
    "findings": [{"id": "c-1.1", "kind": "passes-but-bad", "says": "Flattery passes.", "voices": ["Nurse"],
                  "quote": "pass_threshold", "question": "Is the reply free of flattery?"}],
}
SISTER = "As you told me, your sister"


def records():
    path = pathlib.Path("data/reviews.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def main():
    editor = Editor()
    nvim = editor.nvim
    nvim.exec_lua(ANSWERS)
    nvim.command("edit data/raw/first-week.jsonl")
    editor.until("the role finding", lambda: editor.findings("M003"))
    nvim.command("write")
    editor.until("the invented sister", lambda: editor.findings("HO1"))
    editor.until("the gate of the batch", lambda: any("Gate: " in t for t in nvim.exec_lua(LENSES)))

    # Next: the cursor moves by itself, and to another place when it is asked again.
    nvim.command("normal! G$")
    at = nvim.current.window.cursor
    nvim.command("LspRubricatorNext")
    first = editor.until("the first place", lambda: (lambda c: c if c != at else None)(nvim.current.window.cursor))
    nvim.command("LspRubricatorNext")
    editor.until("another place", lambda: nvim.current.window.cursor != first)

    # What is said is kept, and shows.
    editor.put_cursor_on(SISTER)
    said = 0
    for command, kind, key, value in [
        ("LspRubricatorRight", "verdict", "human", "NO"),
        ("LspRubricatorNote", "verdict", "note", 'It is: "too" much.'),
        ("LspRubricatorMissing", "missing", "note", 'It is: "too" much.'),
        ("LspRubricatorAccept", "accept", "human", None),
    ]:
        nvim.command(command)
        said += 1
        editor.until(command, lambda: len(records()) == said)
        last = records()[-1]
        assert (last["kind"], last.get(key)) == (kind, value), last
    editor.until("the lens", lambda: any(t == "Review (accepted)" for t in nvim.exec_lua(LENSES)))

    # A calibration example: the rubric opens with it, unsaved, and reads well.
    rubric = pathlib.Path("config/rubric.yaml")
    before = rubric.read_text()
    nvim.command("LspRubricatorExample")
    editor.until("the rubric", lambda: nvim.current.buffer.name.endswith("rubric.yaml"))
    text = "\n".join(nvim.current.buffer[:]) + "\n"
    added = [line for line in text.splitlines() if line not in before.splitlines()]
    assert nvim.current.buffer.options["modified"] and rubric.read_text() == before
    assert added[-1].endswith('reasoning: "It is: \\"too\\" much."'), added
    assert all(line in text.splitlines() for line in before.splitlines())

    # Another program criticises the rubric: a hint on the words, and one press makes it a criterion.
    kept = pathlib.Path("data/critiques.jsonl")
    kept.write_text(json.dumps(CRITIQUE) + "\n")
    editor.until("the critic's hint", lambda: editor.findings("critique"))
    editor.put_cursor_on("pass_threshold")
    nvim.exec_lua(CRITIQUE_FIX)
    editor.until("the criterion", lambda: any("free of flattery?" in line for line in nvim.current.buffer[:]))
    editor.until("the decision", lambda: len(kept.read_text().splitlines()) == 2)
    editor.until("the hint gone", lambda: not editor.findings("critique"))


if __name__ == "__main__":
    try:
        main()
    except AssertionError as failure:
        sys.exit(f"FAIL {failure}")
