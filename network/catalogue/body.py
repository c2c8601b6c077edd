"""The body chart: where each organ lies in the drawing, and the line that leads from it to its row."""

from dataclasses import dataclass

from network.catalogue.holdings import OrganRow

WIDTH_PX, ROW_PX, HEAD_PX = 320, 33, 36
"""Of the drawing; of a row of the table beside it, and of the table's head."""
BEND_PX = 284

PLACES = {
    "brain": (152, 24),
    "head_and_neck": (146, 82),
    "lung": (172, 148),
    "breast": (181, 180),
    "liver": (124, 214),
    "pancreas": (160, 232),
    "kidney": (171, 250),
    "colorectal": (180, 286),
    "uterus_ovary": (152, 318),
    "bladder": (146, 339),
    "prostate": (143, 354),
    "soft_tissue": (176, 406),
}
"""In the pixels of the drawing, where the line of an organ begins."""


@dataclass(frozen=True)
class Line:
    """`y_row`: the middle of the row. `is_held`: whether there are datasets of this organ."""

    organ: str
    x: int
    y: int
    y_row: float
    is_held: bool

    @property
    def path(self) -> str:
        return f"M{self.x} {self.y}L{BEND_PX} {self.y_row}H{WIDTH_PX - 4}"


def lines_of(rows: list[OrganRow]) -> list[Line]:
    """`rows` as they stand in the table. Rows without a place in the body get no line."""
    return [
        Line(row.organ, *PLACES[row.organ], HEAD_PX + ROW_PX * (at + 0.5), row.datasets > 0)
        for at, row in enumerate(rows)
        if row.organ in PLACES
    ]
