"""How to fetch one format of a release and open it, as lines to copy."""

from dataclasses import dataclass

from annotations.models import Release


@dataclass(frozen=True)
class Snippets:
    """`opens` is a program's lines, in the language `opens_with`."""

    client: str
    opens_with: str
    opens: str
    curl: str


BESIDE = {"nifti": "json", "monai": "nifti"}
"""Formats that are of more use with another beside them, where the release has it."""

SHELL = "nnU-Net"
OPENS = {
    "nifti": """import atlas_client

release = atlas_client.open("{folder}")
for case in release.cases({part}):
    image, masks, affine = case.arrays()""",
    "json": """import atlas_client

release = atlas_client.open("{folder}")
for case in release.cases({part}):
    for read in case.reads:
        print(case.number, read.annotations)""",
    "tables": """import atlas_client

release = atlas_client.open("{folder}")
for row in release.tables["measurements"]:
    print(row)""",
    "nnunet": """export nnUNet_raw="$PWD/{folder}/nnunet"
nnUNetv2_plan_and_preprocess -d 1 \\
    --verify_dataset_integrity""",
    "monai": """import atlas_client
from monai.data import CacheDataset

release = atlas_client.open("{folder}")
data = CacheDataset(release.monai({part}))""",
    "coco": """from pathlib import Path
from pycocotools.coco import COCO

for path in Path("{folder}/coco").glob("*.json"):
    if path.stem != "left_out":
        coco = COCO(path)""",
    "sr": """from pathlib import Path
from highdicom.sr import srread

for path in Path("{folder}").glob("cases/*/*/sr/*.dcm"):
    report = srread(path)""",
    "rtstruct": """from pathlib import Path
from pydicom import dcmread

for path in Path("{folder}").glob(
        "cases/*/*/rtstruct/*.dcm"):
    contours = dcmread(path).ROIContourSequence""",
    "originals": """from pathlib import Path
from zipfile import ZipFile

for path in Path("{folder}").glob("cases/*/dicom/*.zip"):
    names = ZipFile(path).namelist()""",
}
SEGMENTATION = """from pathlib import Path
from highdicom.seg import segread

for path in Path("{folder}").glob("cases/*/*/{key}/*.dcm"):
    segments = segread(path)"""


def snippets_of(release: Release, key: str, api: str) -> Snippets:
    """`api`: the address of the release in the API of this node."""
    slug, number = release.project.slug, release.number
    folder = f"{slug}-{number}"
    part = 'part="train"' if release.split else ""
    beside = BESIDE.get(key, "")
    wanted = [key, beside] if beside in release.formats else [key]
    return Snippets(
        client=f"atlas-client login {api.split('/api/')[0]}\n"
        f"atlas-client get {slug}@{number} \\\n"
        f"    --formats {','.join(wanted)} \\\n"
        f"    --to {folder}",
        opens_with=SHELL if key == "nnunet" else "Python",
        opens=OPENS.get(key, SEGMENTATION).format(folder=folder, part=part, key=key),
        curl='read -rsp "Token: " TOKEN\n'
        f"curl -f -C - -o {folder}-{key}.zip \\\n"
        '  -H "Authorization: Bearer $TOKEN" \\\n'
        f'  "{api}/archive/?formats={key}"',
    )
