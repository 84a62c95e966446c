import numpy as np
import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.measures.enface import enface_projection, slab_projection


def depth_ramp():
    """Gray value equals the depth index, 0 to 19."""
    return np.tile(np.arange(20, dtype=np.uint8)[:, None], (2, 1, 16))


def test_projection_is_the_mean_along_the_depth():
    projection = enface_projection(depth_ramp())
    assert projection.dtype == np.float32
    assert projection.shape == (2, 16)
    assert (projection == 9.5).all()


def test_slab_takes_the_voxels_between_its_surfaces():
    top = np.full((2, 16), 3.5, dtype=np.float32)
    assert (slab_projection(depth_ramp(), top, top + 3) == 5.0).all()


def test_slab_is_unknown_where_a_surface_is_or_nothing_lies_between():
    top = np.full((2, 16), 3.5, dtype=np.float32)
    bottom = top + 3
    bottom[0, 0] = np.nan
    bottom[1, 1] = 2.5
    unknown = np.isnan(slab_projection(depth_ramp(), top, bottom))
    assert np.argwhere(unknown).tolist() == [[0, 0], [1, 1]]


def test_surface_of_another_scan_is_refused():
    top = np.zeros((3, 16), dtype=np.float32)
    with pytest.raises(InputError, match="Take the surfaces of the same scan"):
        slab_projection(depth_ramp(), top, top)
