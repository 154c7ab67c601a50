"""Video pipelines called whole, Wan VACE, LTX and LTX-2: our windows, joins, colours and timing around them."""

from vedit.diffusion.whole.settings import WholeSettings
from vedit.diffusion.whole.shots import between, inpaint_whole, restyle_whole

__all__ = ["WholeSettings", "between", "inpaint_whole", "restyle_whole"]
