"""Controllers of one's own for autombpo, in Python.

>>> from autombpo import HyperEnv
>>> env = HyperEnv("configs/pendulum-small.yaml")
"""

from .hyper_env import HyperEnv

__all__ = ["HyperEnv"]
