import subprocess
import sys

LOAD = """
import warnings
warnings.simplefilter("ignore")
from vedit.torchvision_ops import tolerate_torchvision
tolerate_torchvision()
tolerate_torchvision()
from diffusers import AnimateDiffVideoToVideoPipeline
from controlnet_aux import CannyDetector
import numpy as np
edges = CannyDetector()(np.zeros((64, 64, 3), np.uint8) + np.eye(64, dtype=np.uint8)[..., None] * 255)
print(edges.shape[0] == edges.shape[1], edges.max())
"""


def test_diffusers_pipelines_and_annotators_load_whatever_torchvision_is_here() -> None:
    """In a process of its own: what is imported cannot be imported anew."""
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "True 255"
