"""The pages of projects, worklist and reading room."""

from django.urls import path

from annotations.views import (
    case,
    cases,
    hanging,
    incidental,
    labels,
    members,
    projects,
    releases,
    room,
    worklist,
)

urlpatterns = [
    path("projects/", projects.project_list, name="projects"),
    path("projects/new/", projects.project_new, name="project-new"),
    path("projects/<slug:slug>/", projects.project_overview, name="project"),
    path("projects/<slug:slug>/edit/", projects.project_edit, name="project-edit"),
    path("projects/<slug:slug>/cases/", cases.case_table, name="project-cases"),
    path("projects/<slug:slug>/cases/add/", cases.cases_add, name="project-cases-add"),
    path("projects/<slug:slug>/cases/assign/", cases.cases_assign, name="project-cases-assign"),
    path("projects/<slug:slug>/cases/unassign/", cases.read_unassign, name="project-cases-unassign"),
    path("projects/<slug:slug>/cases/<int:number>/", case.case_page, name="project-case"),
    path("projects/<slug:slug>/hanging/", hanging.hanging_list, name="project-hanging"),
    path("projects/<slug:slug>/hanging/new/", hanging.hanging_new, name="project-hanging-new"),
    path("projects/<slug:slug>/hanging/preview/", hanging.hanging_preview, name="project-hanging-preview"),
    path("projects/<slug:slug>/hanging/move/", hanging.hanging_move, name="project-hanging-move"),
    path("projects/<slug:slug>/hanging/remove/", hanging.hanging_remove, name="project-hanging-remove"),
    path("projects/<slug:slug>/hanging/<str:public_id>/", hanging.hanging_edit, name="project-hanging-edit"),
    path("projects/<slug:slug>/members/", members.members, name="project-members"),
    path("projects/<slug:slug>/members/remove/", members.member_remove, name="project-member-remove"),
    path(
        "projects/<slug:slug>/members/withdraw/",
        members.letter_withdraw,
        name="project-letter-withdraw",
    ),
    path("projects/<slug:slug>/labels/", labels.labels, name="project-labels"),
    path("projects/<slug:slug>/labels/edit/", labels.labels_edit, name="project-labels-edit"),
    path("projects/<slug:slug>/labels/<int:version>/", labels.labels, name="project-labels-version"),
    path("projects/<slug:slug>/releases/", releases.release_list, name="project-releases"),
    path("projects/<slug:slug>/releases/new/", releases.release_new, name="project-release-new"),
    path("projects/<slug:slug>/releases/<int:number>/", releases.release, name="project-release"),
    path("incidental/", incidental.findings, name="incidental"),
    path("incidental/<str:public_id>/seen/", incidental.seen, name="incidental-seen"),
    path("incidental/<str:public_id>/answer/", incidental.answer, name="incidental-answer"),
    path("worklist/", worklist.worklist, name="worklist"),
    path("worklist/next/", worklist.next_read, name="worklist-next"),
    path("worklist/<str:public_id>/", worklist.panel, name="worklist-panel"),
    path("reads/<str:public_id>/", room.room, name="read"),
]
