import subprocess
import sys
from types import ModuleType

import vedit


def test_every_public_name_is_there_and_no_other_is() -> None:
    assert vedit.__all__ == sorted(vedit.__all__)
    assert dir(vedit) == vedit.__all__
    assert [name for name in vedit.__all__ if isinstance(getattr(vedit, name), ModuleType)] == ["edits", "fx"]
    assert not hasattr(vedit, "teleport")


def test_edits_are_loaded_by_name() -> None:
    assert [getattr(vedit.edits, name).__name__ for name in vedit.edits.__all__] == vedit.edits.__all__
    assert set(vedit.edits.__all__) <= set(dir(vedit.edits))
    assert not hasattr(vedit.edits, "Teleport")


def test_importing_is_light() -> None:
    heavy = (
        "{'torch', 'cv2', 'scenedetect', 'diffusers', 'moviepy', 'ray', 'transformers'} & set(sys.modules)"
    )
    code = f"import sys, vedit.cli.main; print(*{heavy})"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == ""
