"""Connects the marks with the images: opens roads to studies, and listens for sealed series."""

from annotations.cohort import erasing, pins, stored
from annotations.reading import broadcasts, imported
from annotations.reading import policies as reading
from atlas.clinical.policies import withhold_facts
from atlas.erasers import register_eraser
from atlas.holdings import register_holder
from atlas.pins import register_pinner
from atlas.policies import add_project_road, add_road, add_veil
from atlas.sealed import on_series_sealed
from atlas.told import register_teller


def connect() -> None:
    """Called once, when Django is ready."""
    add_road("assigned cases", reading.studies_of_assigned_cases)
    add_road("cases of projects", reading.studies_of_projects)
    add_road("released cases", reading.studies_of_released_cases)
    add_project_road("cases", reading.studies_of_project)
    add_veil("proposals withheld", reading.studies_with_proposals_withheld)
    add_veil("marks sequestered", reading.studies_with_marks_sequestered)
    withhold_facts("being read", reading.subjects_being_read_by)
    register_eraser("cases", erasing.erase)
    register_holder("releases", stored.release_files)
    register_holder("packs that releases pin", pins.packs_of_the_past)
    register_pinner("releases", pins.PINNER)
    on_series_sealed("studies to choose", broadcasts.announce_studies)
    on_series_sealed("imported segments", imported.take_in)
    register_teller("imported segments", imported.became)
