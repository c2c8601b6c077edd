"""Computed images for the demo's network: a body, an organ and a lesion in it, different in each subject."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from pydicom import FileDataset

from annotations.exchange.volumes import ConvertedSeries, Volume, VolumeIdentity
from atlas.archive.sources import Source
from network.demo_nodes.nodes import DemoDataset, DemoNode

SLICES, ROWS, COLUMNS = 4, 128, 128
STEP_MM = (2.8, 2.8, 5.0)
"""To the next column, row and slice."""

ORIGIN = "Computed for the demo: no patient's image"
FIRST_DAY = date(2024, 1, 8)
INTERVAL = timedelta(days=91)


def files(node: DemoNode, dataset: DemoDataset) -> Iterator[Source]:
    """Every file of a dataset, as if it came from a scanner and was de-identified before."""
    for number in range(1, dataset.subjects + 1):
        for time_point in range(dataset.time_points):
            for name, content in _study(node, dataset, number, time_point):
                yield Source(name, partial(BytesIO, content))


def _study(node: DemoNode, dataset: DemoDataset, number: int, time_point: int) -> Iterator[tuple[str, bytes]]:
    chance = np.random.default_rng(abs(hash_of(node.key, dataset.name, number)))
    pseudonym = f"{node.country}-{dataset.organ[:2].upper()}{number:03d}"
    identity = VolumeIdentity(
        name=f"demo network {node.key} {dataset.name} {number} {time_point}",
        patient_id=pseudonym,
        modality=dataset.modality,
        description=dataset.name,
        origin=ORIGIN,
        window=(40.0, 400.0) if dataset.modality == "CT" else None,
    )
    sex, age = (
        "FM"[int(chance.integers(2))] if dataset.organ != "breast" else "F",
        int(chance.integers(38, 84)),
    )
    maker, model = dataset.makers[number % len(dataset.makers)]
    day = FIRST_DAY + timedelta(days=int(chance.integers(500))) + INTERVAL * time_point
    volume = Volume(
        phantom(chance, dataset.modality, shrunk=0.7**time_point),
        np.diag(STEP_MM),
        np.array([-COLUMNS * STEP_MM[0] / 2, -ROWS * STEP_MM[1] / 2, 0.0]),
    )
    facts = {
        "PatientSex": sex,
        "PatientAge": f"{age:03d}Y",
        "StudyDate": day.strftime("%Y%m%d"),
        "Manufacturer": maker,
        "ManufacturerModelName": model,
        "BodyPartExamined": {"lung": "CHEST", "liver": "LIVER", "breast": "BREAST"}[dataset.organ],
    }
    plain = ConvertedSeries.of(volume, identity)
    for name, content in ComputedSeries(plain.volume, plain.identity, plain.source, facts).files():
        yield f"{pseudonym}/{time_point}/{name}", content


@dataclass(frozen=True)
class ComputedSeries(ConvertedSeries):
    """One that knows of a patient and a scanner, made up as its images."""

    facts: dict[str, str] = field(default_factory=dict)

    def _image(self, index: int) -> FileDataset:
        image = super()._image(index)
        for keyword, value in self.facts.items():
            setattr(image, keyword, value)
        return image


def phantom(chance: np.random.Generator, modality: str, *, shrunk: float) -> NDArray[np.int16]:
    """int16[slices, rows, columns]: HU for CT, arbitrary units for MR."""
    z, y, x = np.meshgrid(
        np.linspace(-1, 1, SLICES), np.linspace(-1, 1, ROWS), np.linspace(-1, 1, COLUMNS), indexing="ij"
    )
    air, tissue, organ, lesion = (-1000, 40, -850, 60) if modality == "CT" else (0, 220, 340, 520)
    values = np.full(x.shape, float(air))
    values[(x / 0.85) ** 2 + (y / 0.62) ** 2 < 1] = tissue
    for side in (-0.38, 0.38):
        values[((x - side) / 0.3) ** 2 + (y / 0.45) ** 2 + (z / 1.3) ** 2 < 1] = organ
    side, across, along = chance.choice((-0.38, 0.38)), chance.uniform(-0.2, 0.2), chance.uniform(-0.4, 0.4)
    radius = chance.uniform(0.06, 0.14) * shrunk
    here = ((x - side) ** 2 + (y - across) ** 2 + (0.35 * (z - along)) ** 2) < radius**2
    values[here] = lesion
    values += chance.normal(0, 12, values.shape)
    return values.round().astype(np.int16)


def hash_of(*parts: object) -> int:
    """The same in every process, unlike Python's own for text."""
    return zlib.crc32("/".join(map(str, parts)).encode())
