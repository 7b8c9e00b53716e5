import pytest

from models.sam.mobile_sam import load_mobile_sam


@pytest.fixture(scope="package")
def sam():
    """Mobile-SAM with random weights; nothing may change it."""
    return load_mobile_sam("random-frozen", seed=3)
