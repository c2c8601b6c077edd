"""Label maps: the segments of a read on one series as numbers of voxels; what overlaps goes to more layers.

cases/0314/<reader>/labelmap/CT_<series>.dcm, CT_<series>_2.dcm …
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from annotations.cohort.formats.dicom import identity_of, segments_of, written_by
from annotations.cohort.formats.plan import Format, PlannedFile, Segments
from annotations.cohort.images import StoredSeries
from annotations.cohort.material import CaseMaterial, ReadMaterial
from annotations.exchange.labelmap_writer import layers, write_label_map
from annotations.exchange.marks import Mark
from annotations.exchange.seg_frames import Segment


class Layer(NamedTuple):
    """One object. `marks` are its segments, numbered from 1."""

    number: int
    path: str
    segments: list[Segment]
    marks: list[Mark]


class LabelMap(Format):
    def __init__(self, *, is_compressed: bool) -> None:
        self.is_compressed = is_compressed
        self.key = "labelmap_rle" if is_compressed else "labelmap"
        self.title = "DICOM label map, compressed" if is_compressed else "DICOM label map"
        how = "run-length encoded (RLE Lossless)" if is_compressed else "a number a voxel"
        self.holds = f"the same segments, {how}; segments that overlap in several objects"

    def of_case(self, case: CaseMaterial) -> Iterator[PlannedFile]:
        for read in case.reads:
            for stored in case.stored.values():
                for layer in self.layers_of(read, stored):
                    yield PlannedFile(
                        layer.path,
                        written_by(stored, partial(self._bytes, read, stored, layer)),
                        read=read.pinned,
                        expected=Segments(stored, layer.marks),
                    )

    def layers_of(self, read: ReadMaterial, stored: StoredSeries) -> Iterator[Layer]:
        marks = read.segments_on(stored)
        by_identity = {mark.identity: mark for mark in marks}
        for number, segments in enumerate(layers(segments_of(marks)), start=1):
            name = stored.name if number == 1 else f"{stored.name}_{number}"
            own = [by_identity[one.identity] for one in segments if one.identity]
            yield Layer(number, f"{read.folder}/{self.key}/{name}.dcm", segments, own)

    def _bytes(self, read: ReadMaterial, stored: StoredSeries, layer: Layer) -> bytes:
        return write_label_map(
            source=stored.source,
            header=stored.header(),
            sop_classes=stored.sop_classes,
            segments=layer.segments,
            identity=identity_of(read, self.key),
            layer=layer.number,
            is_compressed=self.is_compressed,
        )
