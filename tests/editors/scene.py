"""Sets the scene for one test, and clears it away: a copy of `examples/` whose two judges are `judge.py`
on loopback, and folders of its own for everything an editor or the server keeps.

    scene.py BINARY -- COMMAND...

The command runs in the project, and finds in its environment: SCENE (the temporary folder), PROJECT,
JUDGE_LOG (what the judges were asked), NVIM, INSTALL, SHOTS, and `rubricator` on its PATH. With RECORDED
set, the project is `examples/` as it is; with KEEP set, nothing is cleared away.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def project(scene, port):
    """`examples/`, with judges that are asked over a socket instead of being replayed."""
    folder = scene / "support-coach"
    shutil.copytree(ROOT / "examples", folder, ignore=shutil.ignore_patterns(".rubricator"))
    if os.environ.get("RECORDED"):
        return folder
    shutil.rmtree(folder / "recorded")
    settings = folder / "rubricator.toml"
    text = re.sub(r"(?m)^# Two judges.*", "", settings.read_text(), flags=re.S)
    for name in ("careful", "easy"):
        text += (
            f'\n[[judge]]\nname = "{name}"\nprovider = "openai-compatible"\n'
            f'base_url = "http://127.0.0.1:{port}/v1"\nmodel = "{name}"\n'
        )
    settings.write_text(text)
    return folder


def environment(scene, binary, folder, log):
    (scene / "bin").mkdir()
    (scene / "bin" / "rubricator").symlink_to(binary)
    shots = HERE / "shots"
    shots.mkdir(exist_ok=True)
    env = dict(os.environ, SCENE=str(scene), PROJECT=str(folder), JUDGE_LOG=str(log))
    env.update(INSTALL=str(HERE / ".install"), NVIM=str(HERE / ".install/neovim/bin/nvim"), SHOTS=str(shots))
    env.update(ROOT=str(ROOT), PATH=f"{scene / 'bin'}:{os.environ['PATH']}", NO_PROXY="127.0.0.1", no_proxy="127.0.0.1")
    for kind in ("CONFIG", "STATE", "CACHE", "DATA"):
        env[f"XDG_{kind}_HOME"] = str(scene / kind.lower())
    return env


def main():
    binary, command = pathlib.Path(sys.argv[1]).resolve(), sys.argv[3:]
    scene = pathlib.Path(tempfile.mkdtemp(prefix="rubricator-"))
    log = scene / "asked.jsonl"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(124))  # so that a test over its time is cleared away too
    judge = subprocess.Popen(
        [sys.executable, HERE / "judge.py", HERE / "rules.json", log], stdout=subprocess.PIPE, text=True
    )
    try:
        folder = project(scene, int(judge.stdout.readline()))
        code = subprocess.run(command, cwd=folder, env=environment(scene, binary, folder, log)).returncode
    finally:
        judge.terminate()
        judge.wait()
        if os.environ.get("KEEP"):
            print("kept", scene)
        else:
            shutil.rmtree(scene, ignore_errors=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
