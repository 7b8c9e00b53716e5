"""What the user says about Mobile-SAM."""

from __future__ import annotations

import typing

from models.mobile_sam import SamMode
from models.spec import ModelSpec
from utils.errors import ConfigError


def choose_sam(spec: ModelSpec, asked: str) -> tuple[ModelSpec, str]:
    """The spec in the mode asked for, and the path of the weights ("" for none).

    `asked`: "" as the YAML says; a mode; or the path of mobile_sam.pt, which means pretrained. Raises ConfigError.
    """
    if not asked:
        return spec, ""
    if "sam" not in spec.data:
        raise ConfigError(f"model.sam={asked}: {spec.path.name} has no row for Mobile-SAM; leave it out")
    if asked in typing.get_args(SamMode):
        return spec.with_values(sam=asked), ""
    return spec.with_values(sam="pretrained"), asked
