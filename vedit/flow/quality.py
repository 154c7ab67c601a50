"""How much care the motion search takes; apart from the search, so that naming it loads nothing."""

from typing import Literal

Quality = Literal["draft", "normal", "best"]
