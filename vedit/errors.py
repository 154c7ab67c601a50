"""Every error a user can meet, each with what happened and what to do next.

VeditError
├── UsageError       exit 2   a setting, path or mask that cannot work as given
├── InputError       exit 3   the source (or a mask or style file) cannot be read
├── OutputError      exit 4   the result cannot be written
└── EngineError      exit 5   a model or device cannot do the job
"""


class VeditError(Exception):
    """A problem and its remedy, in one line: ``VeditError("film.mp4 is empty", "Copy it again.")``."""

    exit_code = 1

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem.rstrip('.')}. {self.remedy}"


class UsageError(VeditError):
    """A setting, path or mask that cannot work as given."""

    exit_code = 2


class InputError(VeditError):
    """The source, or a file a setting names, cannot be read."""

    exit_code = 3


class OutputError(VeditError):
    """The result cannot be written."""

    exit_code = 4


class EngineError(VeditError):
    """A model or device cannot do the job."""

    exit_code = 5
