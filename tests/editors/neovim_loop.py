"""The loop in a real Neovim: save, failure, draft, proof, preview, apply, undo, redo, re-assess, pass, accept, gate."""

import json
import os
import pathlib
import subprocess
import sys

from neovim_rpc import APPLY, LENSES, Editor, asked

TRIGGER = "As you told me, your sister"
SENTENCE = " As you told me, your sister keeps hers there too \\ud83d\\ude0a."


def record():
    """A conversation with one invented sister, escaped as Python's `json` does it."""
    source = pathlib.Path("data/raw/first-week.jsonl").read_text().splitlines()[0]
    conversation = json.loads(source)
    conversation["id"] = "walk"
    reply = conversation["messages"][3]
    at = "at the kitchen table, and then it stays there when you go to bed."
    assert at in reply["content"]
    reply["content"] = reply["content"].replace(at, at + json.loads(f'"{SENTENCE}"'))
    reply["weight"] = 1
    return json.dumps(conversation)


def gate():
    ran = subprocess.run(
        ["rubricator", "gate", "data/raw/walk.jsonl", "--format", "json"], capture_output=True, text=True
    )
    return json.loads(ran.stdout)[0], ran.returncode


def main():
    path = pathlib.Path("data/raw/walk.jsonl")
    path.write_text(record() + "\n")
    editor = Editor()
    nvim = editor.nvim

    def act(title):
        editor.put_cursor_on("Of course you want an evening" if TRIGGER not in "".join(nvim.current.buffer[:]) else TRIGGER)
        nvim.exec_lua(APPLY, title)

    def lenses_say(word):
        return any(word in title for title in nvim.exec_lua(LENSES))

    # Save: the failure stands on its words.
    nvim.command(f"edit {path}")
    editor.until("the check of lengths", lambda: editor.findings("FO1"))
    nvim.command("write")
    failed = editor.until("the failure", lambda: editor.findings("HO1"))
    assert [f["words"] for f in failed] == [TRIGGER], failed
    editor.until("two calls", lambda: len(asked()) == 2)
    editor.until("how it stands", lambda: lenses_say("failed"))
    assert gate()[1] == 1

    # Draft, proof: one draft, and each judge about the rewritten text.
    act("Draft fixup of exchange 2 (HO1)")
    editor.until("the proof", lambda: "a proven fixup can be applied" in editor.findings("HO1")[0]["message"])
    calls = [sorted(call["answers"]) for call in asked()[2:]]
    proof = ["HO1", "SA1", "SA2", "_continuity_2"]
    assert sorted(calls) == [proof, proof, ["outcome", "reasoning", "rewrite"]], calls

    # Preview: a diff in a tab of its own, which changes nothing.
    before = nvim.current.buffer[0]
    act("Preview fixup")
    editor.until("the diff", lambda: len(nvim.api.list_tabpages()) == 2 and len(nvim.current.tabpage.windows) == 2)
    shown = ["\n".join(window.buffer[:]) for window in nvim.current.tabpage.windows]
    assert TRIGGER in shown[0] and TRIGGER not in shown[1], shown
    assert all(nvim.api.get_option_value("diff", {"win": window}) for window in nvim.current.tabpage.windows)
    nvim.command("tabclose")
    assert nvim.current.buffer[0] == before

    # Apply: these words go, every other byte stays; and it costs nothing.
    act("Apply fixup of exchange 2")
    editor.until("the edit", lambda: nvim.current.buffer[0] != before)
    after = before.replace(SENTENCE, "")
    assert nvim.current.buffer[0] == after, nvim.current.buffer[0]
    editor.until("the finding to go", lambda: not editor.findings("HO1"))

    # Undo brings text and verdicts back, redo the mended ones; nobody was asked.
    nvim.command("undo")
    assert nvim.current.buffer[0] == before
    editor.until("the verdict to come back", lambda: [f for f in editor.findings("HO1") if "re-checking" not in f["message"]])
    nvim.command("redo")
    assert nvim.current.buffer[0] == after
    assert len(asked()) == 5, asked()

    # Saved: logged, and the judges answer what they were not asked for the proof.
    nvim.command("write")
    log = pathlib.Path("data/fixups.jsonl")
    logged = editor.until("the log", lambda: log.exists() and log.read_text())
    line = json.loads(logged)
    assert line["criteria"] == ["HO1"] and line["transcript"] == "walk", line
    editor.until("two calls more", lambda: len(asked()) == 7)
    assert not any("HO1" in call["answers"] for call in asked()[5:]), asked()[5:]
    editor.until("the pass", lambda: lenses_say("passed") and not lenses_say("re-checking"))

    # Accept, and declare the batch good: the gate opens.
    assert "unreviewed" in str(gate()[0]["missing"]), gate()
    act("Accept this transcript")
    editor.until("the review", lambda: gate()[0]["reviewed"] == 1)
    act("Declare batch")
    editor.until("the gate to open", lambda: gate()[1] == 0)
    assert gate()[0]["decision"] == "scale", gate()
    assert len(asked()) == 7
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
