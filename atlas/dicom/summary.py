"""What a series shows, in a few words: enough to say where it hangs beside others, without its manifest."""

from pydicom.dataset import Dataset

from atlas.dicom import values
from atlas.dicom.phases import plane_name

# Views of the breast by code (PS3.16 CID 4014; SNOMED CT, and the older identifiers).
VIEW_OF_CODE = {
    **dict.fromkeys(("399162004", "R-10242"), "CC"),
    **dict.fromkeys(("399368009", "R-10226"), "MLO"),
    **dict.fromkeys(("399260004", "R-10224"), "ML"),
    **dict.fromkeys(("399352003", "R-10228"), "LM"),
    **dict.fromkeys(("399099002", "R-10230"), "LMO"),
}
LATERALITIES = ("R", "L", "B")
IN_TIME = ("Time point", "Acquisition", "Phase")
"""Labels of stacks of the same places at different times begin so; b-values and echoes don't."""


def side_of(dataset: Dataset) -> tuple[str, str]:
    """(laterality, view) of an image: ("R", "MLO"); "" for what it doesn't say.

    Image Laterality (0020,0062), else Laterality; View Position (0018,5101), else the code of its view.
    """
    written = (values.text(dataset, name, length_max=16) for name in ("ImageLaterality", "Laterality"))
    laterality = next((letter for letter in written if letter in LATERALITIES), "")
    view = values.text(dataset, "ViewPosition", length_max=16).upper()
    code = values.item(dataset, "ViewCodeSequence")
    return laterality, view or VIEW_OF_CODE.get(values.text(code, "CodeValue"), "")


def summary_of(manifest: dict) -> dict:
    """{plane, sides, phases} of a series manifest.

    plane: "axial", "coronal", "sagittal", "oblique" or "". sides: [laterality, view] of each frame, of the
    first alone where all are alike, of none where nothing is known. phases: [first frame, frames] of each
    stack that shows the same places at another time; empty for a single one.
    """
    orientation = manifest.get("orientation")
    frames = manifest["frames"]
    count = len(frames["sop"])
    common = [manifest["series"].get("laterality", "") if "series" in manifest else "", ""]
    lateralities = frames.get("laterality") or [common[0]] * count
    views = frames.get("view") or [""] * count
    sides = [list(side) for side in zip(lateralities, views, strict=True)]
    if all(side == sides[0] for side in sides):
        sides = [side for side in sides[:1] if any(side)]
    phases = [
        [phase["first"], phase["count"]]
        for phase in manifest.get("phases") or []
        if phase["label"].startswith(IN_TIME)
    ]
    return {
        "plane": plane_name(tuple(orientation)).lower() if orientation else "",
        "sides": sides,
        "phases": phases if len(phases) > 1 else [],
    }
