"""Measurement reports: every mark of a read on one series with its numbers, its state, and what was answered.

cases/0314/<reader>/sr/CT_<series>.dcm
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from pydicom.uid import SegmentationStorage

from annotations.cohort.formats.dicom import identity_of, names_of, written_by
from annotations.cohort.formats.labelmap import LabelMap
from annotations.cohort.formats.plan import Format, PlannedFile, Report
from annotations.cohort.images import StoredSeries
from annotations.cohort.material import CaseMaterial, ReadMaterial
from annotations.exchange import labelmap_writer, seg_writer
from annotations.exchange.codes import Code, type_of
from annotations.exchange.derived import to_image
from annotations.exchange.marks import Mark
from annotations.exchange.objects import reference
from annotations.exchange.source import FrameKey
from annotations.exchange.sr_shapes_writer import Figure
from annotations.exchange.sr_writer import STATES, Evaluation, Group, SegmentReference, write_sr
from annotations.measures import masks


def sr_path(read: ReadMaterial, stored: StoredSeries) -> str:
    return f"{read.folder}/sr/{stored.name}.dcm"


class Sr(Format):
    key, title = "sr", "DICOM SR"
    holds = "measurements, states of labels and answers of a read on one series, by TID 1500"

    def of_case(self, case: CaseMaterial) -> Iterator[PlannedFile]:
        for read in case.reads:
            for stored in case.stored.values():
                marks = read.marks_on(stored)
                if marks or _answers_about(read, stored):
                    yield PlannedFile(
                        sr_path(read, stored),
                        written_by(stored, partial(_sr, read, stored, marks)),
                        read=read.pinned,
                        expected=Report(stored, marks) if marks else None,
                    )


def _sr(read: ReadMaterial, stored: StoredSeries, marks: list[Mark]) -> bytes:
    segments = _segments(read, stored)
    groups = [
        _group(read, stored, mark, name, segments.get(str(mark.identity)))
        for mark, name in zip(marks, names_of(marks), strict=True)
    ]
    return write_sr(
        source=stored.source,
        header=stored.header(),
        sop_classes=stored.sop_classes,
        groups=groups,
        evaluations=[_evaluation(read, answer) for answer in _answers_about(read, stored)],
        observer=read.reader,
        identity=identity_of(read, Sr.key),
    )


def _segments(read: ReadMaterial, stored: StoredSeries) -> dict[str, SegmentReference]:
    """Where the release has each mask as a segment, by the mark: binary if it has that, else a label map."""
    material, source = read.material, stored.source
    found: dict[str, SegmentReference] = {}
    if material.writes("seg"):
        named = identity_of(read, "seg")
        for number, mark in enumerate(read.segments_on(stored), start=1):
            found[str(mark.identity)] = SegmentReference(
                SegmentationStorage,
                named.instance_uid(seg_writer.ROLE, source),
                named.instance_uid(f"{seg_writer.ROLE} series", source),
                number,
            )
        return found
    for label_map in (LabelMap(is_compressed=False), LabelMap(is_compressed=True)):
        if not material.writes(label_map.key):
            continue
        named = identity_of(read, label_map.key)
        for layer in label_map.layers_of(read, stored):
            for number, mark in enumerate(layer.marks, start=1):
                found[str(mark.identity)] = SegmentReference(
                    labelmap_writer.LABEL_MAP_SEGMENTATION,
                    named.instance_uid(labelmap_writer.role_of(layer.number), source),
                    named.instance_uid(f"{labelmap_writer.role_of(1)} series", source),
                    number,
                )
        break
    return found


def _group(
    read: ReadMaterial, stored: StoredSeries, mark: Mark, name: str, segment: SegmentReference | None
) -> Group:
    drawn_on = [key for key, runs in mark.planes.items() if not masks.is_empty(runs)]
    if mark.value.get("sop"):
        drawn_on = [FrameKey(mark.value["sop"], mark.value["frame"])]
    order = {frame.key: index for index, frame in enumerate(stored.source.frames)}
    about = ("annotation", str(mark.identity))
    answers = [one for one in read.answers if (one["about"], one["about_id"]) == about]
    return Group(
        identity=mark.identity,
        label=name,
        meaning=mark.meaning,
        state=mark.state,
        numbers=mark.numbers,
        figure=_figure(mark, stored),
        segment=segment,
        drawn_on=sorted(drawn_on, key=lambda key: order.get(key, -1)),
        estimated=mark.estimated,
        comments=[str(mark.value.get("note") or ""), mark.problem],
        evaluations=[_evaluation(read, answer) for answer in answers],
    )


def _figure(mark: Mark, stored: StoredSeries) -> Figure | None:
    value = mark.value
    placed, flat = value.get("points_patient_mm"), value.get("points_image")
    frame_of_reference_uid = value.get("frame_of_reference") or stored.source.frame_of_reference_uid
    image = frame = None
    if value.get("sop"):
        image = reference(stored.sop_classes, value["sop"])
        frame = stored.source.frame_at.get(FrameKey(value["sop"], value["frame"]))
        if len(stored.source.frames_of_instance.get(value["sop"], ())) > 1:
            image.ReferencedFrameNumber = value["frame"]
    if placed and not frame_of_reference_uid:  # a report can't name the space that the points lie in
        flat = to_image(frame, np.asarray(placed)) if frame is not None and frame.has_place else None
        placed = None
    points = placed if placed is not None else flat
    if points is None:
        return None
    normal = frame.axes[2] if frame is not None and frame.has_place else None
    if plane := value.get("plane"):
        normal = np.cross(plane["row"], plane["column"])
    return Figure(
        kind=mark.kind,
        points=np.asarray(points, dtype=np.float64),
        image=image,
        frame_of_reference_uid=frame_of_reference_uid,
        normal=normal,
    )


# Answers --------------------------------------------------------------------------------------------


def _answers_about(read: ReadMaterial, stored: StoredSeries) -> list[Mapping[str, Any]]:
    """About this series; and in the report of the first series of a study or of the case, about that."""
    series = list(read.material.stored.values())
    first_of_study = next(one for one in series if one.series.study_id == stored.series.study_id)
    about = {("series", stored.series.series_instance_uid)}
    if stored.series.pk == first_of_study.series.pk:
        about.add(("study", stored.series.study.study_instance_uid))
    of_case = ("case", "label") if stored.series.pk == series[0].series.pk else ()
    return [
        answer
        for answer in read.answers
        if (answer["about"], answer["about_id"]) in about or answer["about"] in of_case
    ]


def _evaluation(read: ReadMaterial, answer: Mapping[str, Any]) -> Evaluation:
    """Terms where a question has options, else words. A label is answered by whether the case shows it."""
    schema = read.submission.read.schema
    if answer["about"] == "label":
        label = next((one for one in schema.labels if one["key"] == answer["about_id"]), None)
        question = type_of(label) if label else Code(answer["about_id"], "99ATLAS", answer["about_id"])
        state = str(answer["answer"])
        return Evaluation(question, [STATES.get(state, state)])
    question = Code(answer["question"], "99ATLAS", answer["question_text"])
    asked = next((one for one in schema.questions if one["key"] == answer["question"]), None)
    options = {one["key"]: one for one in (asked or {}).get("options", ())}
    said = answer["answer"] if isinstance(answer["answer"], list) else [answer["answer"]]
    return Evaluation(question, [_said(key, options, answer["unit"]) for key in said])


def _said(value: Any, options: Mapping[str, Mapping[str, Any]], unit: str) -> Code | str:
    option = options.get(value) if isinstance(value, str) else None
    if option is None:
        return f"{value} {unit}".strip()
    code = option.get("code")
    if code and code.get("value"):
        return Code(code["value"], code["scheme"], code["meaning"])
    return Code(option["key"], "99ATLAS", option["name"])
