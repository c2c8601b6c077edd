"""What the measurements of marks are called in reports: concept, unit and how a value was chosen."""

from typing import NamedTuple

from annotations.exchange.codes import Code

_MM = Code("mm", "UCUM", "millimeter")
_MM2 = Code("mm2", "UCUM", "square millimeter")
_ML = Code("mL", "UCUM", "milliliter")
_DEGREES = Code("deg", "UCUM", "degree")
_PIXELS = Code("{pixels}", "UCUM", "pixels")
_SQUARE_PIXELS = Code("{pixels2}", "UCUM", "square pixels")

_LENGTH = Code("410668003", "SCT", "Length")
_LONG_AXIS = Code("103339001", "SCT", "Long Axis")
_SHORT_AXIS = Code("103340004", "SCT", "Short Axis")
_DIAMETER = Code("81827009", "SCT", "Diameter")
_WIDTH = Code("103355008", "SCT", "Width")
_HEIGHT = Code("121207", "DCM", "Height")
_DEPTH = Code("131197000", "SCT", "Depth")
_AREA = Code("42798000", "SCT", "Area")
_PERIMETER = Code("131191004", "SCT", "Perimeter")
_ANGLE = Code("1483009", "SCT", "Angle")
_VOLUME = Code("118565006", "SCT", "Volume")
_MAXIMUM = Code("56851009", "SCT", "Maximum")


class Quantity(NamedTuple):
    """`derivation` says which of several values it is, such as the largest diameter."""

    concept: Code
    unit: Code
    derivation: Code | None = None


QUANTITIES = {
    "length_mm": Quantity(_LENGTH, _MM),
    "long_axis_mm": Quantity(_LONG_AXIS, _MM),
    "short_axis_mm": Quantity(_SHORT_AXIS, _MM),
    "longest_3d_mm": Quantity(_DIAMETER, _MM, _MAXIMUM),
    "diameter_mm": Quantity(_DIAMETER, _MM),
    "width_mm": Quantity(_WIDTH, _MM),
    "height_mm": Quantity(_HEIGHT, _MM),
    "depth_mm": Quantity(_DEPTH, _MM),
    "area_mm2": Quantity(_AREA, _MM2),
    "perimeter_mm": Quantity(_PERIMETER, _MM),
    "angle_deg": Quantity(_ANGLE, _DEGREES),
    "volume_ml": Quantity(_VOLUME, _ML),
    "voxels": Quantity(Code("voxels", "99ATLAS", "Voxels"), Code("{voxels}", "UCUM", "voxels")),
    "slices": Quantity(Code("slices", "99ATLAS", "Slices"), Code("{slices}", "UCUM", "slices")),
    "length_px": Quantity(_LENGTH, _PIXELS),
    "long_axis_px": Quantity(_LONG_AXIS, _PIXELS),
    "short_axis_px": Quantity(_SHORT_AXIS, _PIXELS),
    "diameter_px": Quantity(_DIAMETER, _PIXELS),
    "width_px": Quantity(_WIDTH, _PIXELS),
    "height_px": Quantity(_HEIGHT, _PIXELS),
    "area_px2": Quantity(_AREA, _SQUARE_PIXELS),
    "perimeter_px": Quantity(_PERIMETER, _PIXELS),
}
"""By the name that tables give it. No two are alike in all three parts."""

ESTIMATED = Code("414135002", "SCT", "Estimated")


def quantity_of(name: str) -> Quantity:
    """One that isn't listed keeps its name; where the unit isn't known, it says that it has none."""
    return QUANTITIES.get(name) or Quantity(Code(name, "99ATLAS", name), Code("1", "UCUM", "no units"))
