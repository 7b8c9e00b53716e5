import pytest

from models.prompts.embedding import SAMEmbedding
from utils.values.step_info import StepInfo


@pytest.fixture(scope="session")
def sam_row() -> SAMEmbedding:
    """Mobile-SAM with random weights; importing its libraries takes seconds."""
    return SAMEmbedding("random-frozen")


@pytest.fixture(scope="session")
def none_row() -> SAMEmbedding:
    return SAMEmbedding("none")


@pytest.fixture(scope="session")
def moment_when():
    """The first step of seed 0 at which the draw called `name` is below (or not below) `limit`."""
    from models.rows.row_context import Context

    def find(progress=1.0, **wanted):
        names = {"blind": ("projection without SAM", 0.3), "bypass": ("text without visual guides", 0.5)}
        for step in range(1000):
            step_info = StepInfo(0, step, progress)
            draws = {key: Context(step_info).chance(name) < limit for key, (name, limit) in names.items()}
            if all(draws[key] is value for key, value in wanted.items()):
                return step_info
        raise AssertionError("no such step")

    return find
