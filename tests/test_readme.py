"""README's examples run, in order, as a reader would type them; its commands are CI's."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_every_python_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len(blocks) >= 5
    names = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert names["score"].accuracy > 0.9


def test_commands_can_be_found_by_ci():
    for marker in ("main-command", "test-command"):
        assert re.search(rf"<!-- {marker} -->\n```(sh|console|bash)\n[^\n]+\n```", README), marker
