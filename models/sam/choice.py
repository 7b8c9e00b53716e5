"""What the user says about Mobile-SAM."""

from __future__ import annotations

import typing

from models.rows.spec import ModelSpec
from models.sam.convert import WHERE
from models.sam.mobile_sam import MobileSAM, SamMode, load_mobile_sam
from utils.words.errors import ConfigError

OPTION = "--set model.sam=mobile_sam.pt"


def choose_sam(spec: ModelSpec, asked: str, masks: bool = False) -> tuple[ModelSpec, str]:
    """The spec in the mode asked for, and the path of the weights ("" for none).

    `asked`: "" as the YAML says; a mode; or the path of mobile_sam.pt, which means pretrained. `masks`: it may also be
    meant for the masks of what is found, see `sam_for_masks`. Raises ConfigError.
    """
    if not asked or (masks and "sam" not in spec.data):
        return spec, ""
    if "sam" not in spec.data:
        raise ConfigError(f"model.sam={asked}: {spec.path.name} has no row for Mobile-SAM; leave it out")
    if asked in typing.get_args(SamMode):
        return spec.with_values(sam=asked), ""
    return spec.with_values(sam="pretrained"), asked


def sam_for_masks(own: MobileSAM | None, asked: str) -> MobileSAM:
    """Mobile-SAM for masks: the network's `own`, or for a network without a row the one that is `asked` for.

    Raises ConfigError when that is none, UserError for unusable weights.
    """
    mode = asked if asked in typing.get_args(SamMode) else "pretrained"
    if (own.mode if own else mode) == "none" or not (own or asked):
        raise ConfigError(f"--masks: Mobile-SAM is off; give its weights by {OPTION}: {WHERE}")
    if own:
        return own
    return load_mobile_sam(typing.cast(SamMode, mode), asked if asked != mode else None, option=OPTION)
