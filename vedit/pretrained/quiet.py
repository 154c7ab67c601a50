"""Reading with diffusers and transformers: no chatter, and any failure as one line that names the file."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vedit.errors import EngineError, VeditError


@contextmanager
def reading(path: Path, remedy: str = "Fetch it again, or take another.") -> Iterator[None]:
    """Read a model from ``path``.

    Raises:
        EngineError: it cannot be read; says why in the words of the library.
    """
    import diffusers.utils.logging as diffusers_log
    import transformers.utils.logging as transformers_log

    logs = (diffusers_log, transformers_log)
    before = [log.get_verbosity() for log in logs]
    bars = [log.is_progress_bar_enabled() for log in logs]
    try:
        for log in logs:
            log.set_verbosity(logging.CRITICAL)  # what they log as errors is raised as well
            log.disable_progress_bar()
        with warnings.catch_warnings():
            # Both announce here what they will change one day; what works today is not the user's to mend.
            warnings.simplefilter("ignore", FutureWarning)
            warnings.filterwarnings("ignore", message="Already found a `peft_config`")  # a second LoRA
            yield
    except (VeditError, MemoryError):
        raise
    except Exception as error:
        why = " ".join(str(error).split())[:300] or type(error).__name__
        raise EngineError(f"{path} cannot be loaded ({why.rstrip('.')})", remedy) from error
    finally:
        for log, level, bar in zip(logs, before, bars, strict=True):
            log.set_verbosity(level)
            if bar:
                log.enable_progress_bar()
