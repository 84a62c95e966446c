"""Codes of a partial-label map: which tissue classes a pixel may have, as far as is known.

0 to 14 name one tissue class for sure. The other codes each name a set; a loss asks only that the
probability of the whole set be high, so a pixel marked "not fluid" teaches that and nothing more.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.tissues import TISSUE_BY_NAME, TISSUES

SOME_FLUID: Final = 100
RETINA_NOT_FLUID: Final = 101
RETINA: Final = 102
RPE_COMPLEX: Final = 103
VITREOUS_SIDE: Final = 104
NOT_FLUID: Final = 105
UNKNOWN: Final = 255

_FLUID = ("intraretinal_fluid", "subretinal_fluid")
_RETINA = ("epiretinal_membrane", "neurosensory_retina", "subretinal_hyperreflective_material")

SET_NAMES: Final[dict[int, tuple[str, ...]]] = {
    SOME_FLUID: _FLUID,
    RETINA_NOT_FLUID: _RETINA,
    RETINA: _RETINA + _FLUID,
    RPE_COMPLEX: ("rpe", "drusenoid_ped", "serous_ped", "fibrovascular_ped"),
    VITREOUS_SIDE: ("vitreous_subhyaloid", "posterior_hyaloid"),
    NOT_FLUID: tuple(tissue.name for tissue in TISSUES if tissue.name not in _FLUID),
    UNKNOWN: tuple(tissue.name for tissue in TISSUES),
}
"""Tissue names that each set code allows."""


def _label_sets() -> npt.NDArray[np.bool_]:
    allowed = np.zeros((256, len(TISSUES)), bool)
    allowed[: len(TISSUES)] = np.eye(len(TISSUES), dtype=bool)
    for code, names in SET_NAMES.items():
        allowed[code, [TISSUE_BY_NAME[name].label for name in names]] = True
    allowed.flags.writeable = False
    return allowed


LABEL_SETS: Final = _label_sets()
"""Allowed classes of each code: bool array (256, 15). Codes without meaning allow none."""
