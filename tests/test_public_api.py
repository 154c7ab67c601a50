import subprocess
import sys
from types import ModuleType

import vedit


def test_every_public_name_is_there_and_no_other_is() -> None:
    assert vedit.__all__ == sorted(vedit.__all__)
    visible = {name for name, value in vars(vedit).items() if not name.startswith("_")}
    modules = {name for name in visible if isinstance(getattr(vedit, name), ModuleType)}
    assert (visible - modules) | {"edits"} == set(vedit.__all__)


def test_edits_are_loaded_by_name() -> None:
    assert [getattr(vedit.edits, name).__name__ for name in vedit.edits.__all__] == vedit.edits.__all__
    assert set(vedit.edits.__all__) <= set(dir(vedit.edits))
    assert not hasattr(vedit.edits, "Teleport")


def test_importing_is_light() -> None:
    heavy = "{'diffusers', 'moviepy', 'ray', 'transformers'} & set(sys.modules)"
    code = f"import sys, vedit; print(*{heavy})"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == ""
