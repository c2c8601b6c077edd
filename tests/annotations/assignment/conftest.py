"""The scene for handing cases out: a project that takes its rules from a design."""

import pytest

from annotations.models import Case, ReadingDesign
from tests import scene as scenes
from tests.scene import Scene


@pytest.fixture
def scene(db: None) -> Scene:
    return scenes.build()


def more_cases(scene: Scene, count: int, *, modality: str = "CT", title: str = "CT chest") -> list[Case]:
    first = 1 + scene.project.cases.order_by("-number").values_list("number", flat=True)[0]
    return [
        scenes.case_of(
            scene.project,
            number,
            scenes.subject_with_studies(
                scene.dataset, f"S-{number}", (0,), modality=modality, description=title
            ),
        )
        for number in range(first, first + count)
    ]


def designed(scene: Scene, **rules: object) -> ReadingDesign:
    design, _ = ReadingDesign.objects.update_or_create(project=scene.project, defaults=rules)
    scene.project.refresh_from_db()
    return design
