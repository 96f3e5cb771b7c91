"""What a test puts between the functions and what they reach: the network that breaks, the clock that is wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def straight(_service: str, port: int) -> int:
    """No detour."""
    return port


@dataclass(frozen=True, slots=True)
class Detours:
    """How the functions of a stack reach what they need; everybody else goes the straight way.

    `through` is told a service (`database`, `aws`) and its port on this machine, and gives the port that functions are
    told instead. `environment` is added to what the functions' processes inherit, `parameters` replace the template's.
    """

    through: Callable[[str, int], int] = straight
    environment: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)


#: What every stack has that is not a test's.
NONE = Detours()
