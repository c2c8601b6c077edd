"""How a read opens, as its JSON says."""

import gzip
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.reading import hanging
from annotations.reading.hanging import images_of
from atlas.archive.storage import new_key, storage
from atlas.models import Series
from tests import scene as scenes
from tests.annotations.pages import signed_in
from tests.atlas.mammograms import mammogram
from tests.atlas.test_dicom_geometry import built
from tests.scene import Scene


@pytest.fixture
def scene(db: None) -> Scene:
    return scenes.build()


def read_json(scene: Scene, name: str = "reader", read: str = "assigned") -> dict:
    answer = signed_in(scene, name).get(f"/api/v1/reads/{scene.reads[read].public_id}/")
    assert answer.status_code == 200
    return answer.json()


def write(scene: Scene, name: str = "Own", panes: tuple[dict, ...] = ({},), **more: object):
    facts = {"rules": {}, "rows": 1, "columns": len(panes), "link": False} | more
    protocol = hanging.checked(name=name, panes=panes, **facts)  # type: ignore[arg-type]
    return hanging.write_protocol(by=scene.people["lead"], project=scene.project, protocol=protocol)


def test_a_case_with_priors_opens_current_beside_prior(scene: Scene) -> None:
    told = read_json(scene)
    newest_first = [study["series"][0]["id"] for study in reversed(told["studies"])]
    assert told["hanging"]["id"] == "prior"
    assert told["hanging"]["layout"] == {"rows": 1, "columns": 2}
    assert told["hanging"]["link"] is True
    assert [pane["series"] for pane in told["hanging"]["panes"]] == newest_first[:2]
    assert [choice["id"] for choice in told["hanging"]["choices"]] == ["prior", "one"]


def test_the_project_s_own_protocol_comes_first(scene: Scene) -> None:
    row = write(scene, panes=({"study": 0, "preset": "ct-lung"}, {"study": 1}, {"study": 2}), link=True)
    told = read_json(scene)["hanging"]
    assert (told["id"], told["name"]) == (row.public_id, "Own")
    assert [pane["preset"] for pane in told["panes"]] == ["ct-lung", None, None]
    assert [choice["id"] for choice in told["choices"]] == [row.public_id, "prior", "one"]


def test_another_project_s_protocol_is_not_asked(scene: Scene) -> None:
    row = write(scene)
    row.project = scenes.Project.objects.create(
        organisation=scene.organisation, name="Other", slug="other", created_by=scene.people["lead"]
    )
    row.save()
    assert read_json(scene)["hanging"]["id"] == "prior"


def test_a_protocol_that_is_for_other_images_is_passed_over(scene: Scene) -> None:
    write(scene, rules={"modalities": "MR"})
    assert read_json(scene)["hanging"]["id"] == "prior"


def test_everyone_who_opens_the_read_finds_it_hung_alike(scene: Scene) -> None:
    assert (
        read_json(scene, "reviewer", "submitted")["hanging"] == read_json(scene, read="submitted")["hanging"]
    )


def test_a_case_of_nothing_to_show_hangs_nothing(scene: Scene) -> None:
    for study in scene.cases[0].studies.all():
        study.series.update(frame_count=0)
    assert read_json(scene)["hanging"] is None


def test_hanging_costs_one_query_however_many_protocols_and_studies(scene: Scene) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            read_json(scene)
        return len([query for query in captured if "hangingprotocol" in query["sql"]])

    assert queries() == 1
    for number in range(3):
        write(scene, f"Protocol {number}")
    assert queries() == 1


def test_series_sealed_before_there_were_summaries_are_known_by_their_manifest(scene: Scene) -> None:
    manifest = built([mammogram("L", "MLO")]).manifest
    key = new_key(".manifest")
    storage().put_durable(key, gzip.compress(json.dumps(manifest).encode()))
    one = Series.objects.first()
    assert one is not None
    one.manifest_key = key
    assert one.summary is None
    [shown] = images_of([(one.study, [one])]).series
    assert shown.sides == (("L", "MLO"),)


def test_studies_without_a_date_keep_their_order_and_the_last_is_current(scene: Scene) -> None:
    studies = list(scene.cases[0].studies.order_by("date"))
    studies[0].date = None
    images = images_of([(study, study.series.all()) for study in studies])
    assert [one.id for one in images.series] == [study.series.get().public_id for study in reversed(studies)]


def test_time_points_are_told_by_date_whatever_their_order_in_the_case(scene: Scene) -> None:
    studies = list(scene.cases[0].studies.order_by("date"))
    images = images_of([(study, study.series.all()) for study in (studies[2], studies[0], studies[1])])
    assert [one.id for one in images.series] == [study.series.get().public_id for study in reversed(studies)]
