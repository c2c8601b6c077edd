"""How cases hang where a project says nothing else. Each is tried after the project's own protocols."""

from annotations.reading.hanging.matching import LAST, Protocol, Rules, Wanted


def _breast(laterality: str, view: str) -> Wanted:
    return Wanted(modality="MG", laterality=laterality, view=view)


MAMMOGRAPHY = [
    Protocol(
        "mammography",
        "Mammography, four views",
        Rules(modalities=("MG",), complete=True),
        2,
        2,
        (_breast("R", "CC"), _breast("L", "CC"), _breast("R", "MLO"), _breast("L", "MLO")),
    ),
    *(
        Protocol(
            f"mammography-{view.lower()}",
            f"Mammography, {view} right and left",
            Rules(modalities=("MG",), view=view, complete=True),
            1,
            2,
            (_breast("R", view), _breast("L", view)),
        )
        for view in ("MLO", "CC")
    ),
    *(
        Protocol(
            f"mammography-{name}",
            f"Mammography, {name} side",
            Rules(modalities=("MG",), laterality=laterality, complete=True),
            1,
            2,
            (_breast(laterality, "CC"), _breast(laterality, "MLO")),
        )
        for laterality, name in (("R", "right"), ("L", "left"))
    ),
]

PET_CT = Protocol(
    "pet-ct",
    "CT, PET, PET on CT",
    Rules(modalities=("CT", "PT"), complete=True),
    1,
    3,
    (
        Wanted(modality="CT", preset="ct-soft"),
        Wanted(modality="PT", words="-nac -uncorrected -noac", preset="pt-suv-5"),
        Wanted(modality="CT", preset="ct-soft", fused=True),
    ),
    link=True,
)

PHASES = Protocol(
    "phases",
    "Phases: first, second, last",
    Rules(modalities=("MR",), complete=True),
    1,
    3,
    tuple(Wanted(modality="MR", phase=phase) for phase in (1, 2, LAST)),
    link=True,
)

WITH_PRIOR = Protocol(
    "prior",
    "Current and prior",
    Rules(priors_min=1, complete=True),
    1,
    2,
    (Wanted(study=0), Wanted(study=1)),
    link=True,
)

ONE = Protocol("one", "One image", Rules(), 1, 1, (Wanted(),))

BUILT_IN: tuple[Protocol, ...] = (*MAMMOGRAPHY, PET_CT, PHASES, WITH_PRIOR, ONE)
"""In the order they are tried. The last is for every case with an image."""
