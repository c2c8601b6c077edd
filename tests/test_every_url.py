"""Who gets what, at every address of the node: pages, API, pixels and websockets.

A new address needs a row here, for every method that it answers to. Requests carry no content, so a form that
is refused for what it lacks (200, 400, 409) is one that this person may send. The scene is told in
`tests/scene.py`: reader and other reader both read case 1, blind to each other ({assigned} and {others}); the
reader's read of case 2 is {submitted}; {series} is in case 5, which the reader reads; case 6 was read by the
other reader ({judged}), and the reviewer judges it ({adjudication}).
The scientist has a prediction open ({p}).
"""

import pytest
from django.core.management import call_command
from django.urls import resolve

from tests.walking import ROLES, Walk, build, routes, websocket_routes

# Columns: anonymous, stranger, administrator of the node, manager of the organisation, data manager of the
# dataset; of the project: lead, reviewer, reader, other reader, scientist.
TABLE = """
GET    /access/                                                302 200 200 200 200 200 200 200 200 200
GET    /access/add/chest-ct/                                   302 200 200 200 200 200 200 200 200 200
POST   /access/add/chest-ct/                                   302 302 302 302 302 302 302 302 302 302
GET    /access/requests/{asked}/                               302 404 404 404 404 404 404 404 404 200
POST   /access/requests/{asked}/                               302 404 404 404 404 404 404 404 404 302
POST   /access/requests/{asked}/withdraw/                      302 404 404 404 404 404 404 404 404 302
POST   /access/requests/{asked}/datasets/remove/               302 404 404 404 404 404 404 404 404 302
POST   /access/requests/{asked}/documents/                     302 404 404 404 404 404 404 404 404 302
POST   /access/requests/{asked}/documents/remove/              302 404 404 404 404 404 404 404 404 302
GET    /access/documents/{document}/                           302 404 404 404 404 404 404 404 404 200
POST   /access/parts/{part}/answer/                            302 404 404 404 404 404 404 404 404 302
POST   /access/parts/{part}/agree/                             302 404 404 404 404 404 404 404 404 302
POST   /access/parts/{part}/send/                              302 404 404 404 404 404 404 404 404 302
POST   /access/parts/{part}/drop/                              302 404 404 404 404 404 404 404 404 302
GET    /access/committee/                                      302 403 403 403 403 403 403 403 403 403
GET    /access/committee/{part}/                               302 404 404 404 404 404 404 404 404 404
POST   /access/committee/{part}/                               302 404 404 404 404 404 404 404 404 404
GET    /access/datasets/chest-ct/                              302 404 404 404 404 404 404 404 404 404
GET    /access/studies/{study}/                                302 404 404 200 200 404 404 404 404 404
GET    /                                                       200 200 200 200 200 200 200 200 200 200
GET    /.well-known/openid-configuration                       200 200 200 200 200 200 200 200 200 200
GET    /account/                                               302 200 200 200 200 200 200 200 200 200
POST   /account/                                               302 200 200 200 200 200 200 200 200 200
GET    /account/password/                                      302 200 200 200 200 200 200 200 200 200
POST   /account/password/                                      302 200 200 200 200 200 200 200 200 200
PUT    /account/password/                                      302 200 200 200 200 200 200 200 200 200
POST   /account/network/disconnect/                            302 404 404 404 404 404 404 404 404 404
POST   /account/tokens/                                        302 200 200 200 200 200 200 200 200 200
POST   /account/tokens/{token}/revoke/                         302 404 404 404 404 404 404 404 404 302
GET    /administrators/                                        302 403 200 403 403 403 403 403 403 403
POST   /administrators/                                        302 403 404 403 403 403 403 403 403 403
GET    /datasets/                                              302 200 200 200 200 200 200 200 200 200
GET    /datasets/chest-ct/                                     302 404 404 200 200 404 404 404 404 404
GET    /datasets/chest-ct/catalogue/                           302 404 404 200 403 404 404 404 404 404
POST   /datasets/chest-ct/catalogue/                           302 404 404 400 403 404 404 404 404 404
GET    /datasets/chest-ct/clinical/                            302 404 404 200 200 404 404 404 404 404
POST   /datasets/chest-ct/clinical/                            302 404 404 302 302 404 404 404 404 404
GET    /datasets/chest-ct/clinical/{facts}/                    302 404 404 200 200 404 404 404 404 404
POST   /datasets/chest-ct/clinical/{facts}/                    302 404 404 302 302 404 404 404 404 404
GET    /datasets/chest-ct/clinical/{facts}/mapping.json        302 404 404 200 200 404 404 404 404 404
GET    /datasets/chest-ct/clinical/{facts}/refused.csv         302 404 404 200 200 404 404 404 404 404
POST   /datasets/chest-ct/clinical/{facts}/throw-away/         302 404 404 302 302 404 404 404 404 404
GET    /datasets/chest-ct/subjects/{person}/                   302 404 404 200 200 404 404 404 404 404
GET    /datasets/chest-ct/deidentification/                    302 404 404 200 200 404 404 404 404 404
POST   /datasets/chest-ct/deidentification/                    302 404 404 200 403 404 404 404 404 404
GET    /datasets/chest-ct/deidentification/preview/            302 404 404 200 200 404 404 404 404 404
POST   /datasets/chest-ct/deidentification/preview/            302 404 404 400 400 404 404 404 404 404
GET    /datasets/chest-ct/edit/                                302 404 404 200 403 404 404 404 404 404
POST   /datasets/chest-ct/edit/                                302 404 404 200 403 404 404 404 404 404
POST   /datasets/chest-ct/grants/                              302 404 404 302 403 404 404 404 404 404
POST   /datasets/chest-ct/grants/withdraw/                     302 404 404 404 403 404 404 404 404 404
GET    /datasets/chest-ct/import/                              302 404 404 200 200 404 404 404 404 404
GET    /datasets/chest-ct/members/                             302 404 404 200 200 404 404 404 404 404
POST   /datasets/chest-ct/members/                             302 404 404 404 403 404 404 404 404 404
GET    /datasets/chest-ct/receivers/                           302 404 404 200 200 404 404 404 404 404
POST   /datasets/chest-ct/receivers/                           302 404 404 200 403 404 404 404 404 404
POST   /datasets/chest-ct/receivers/change/                    302 404 404 404 403 404 404 404 404 404
GET    /datasets/chest-ct/quarantine/                          302 404 404 200 200 404 404 404 404 404
GET    /datasets/chest-ct/quarantine/{series}/{held}/          302 404 404 200 200 404 404 404 404 404
GET    /datasets/chest-ct/quarantine/{series}/{held}/picture/  302 404 404 200 200 404 404 404 404 404
POST   /datasets/chest-ct/quarantine/{series}/{held}/decide/   302 404 404 302 302 404 404 404 404 404
GET    /datasets/chest-ct/uploads/{upload}/                    302 404 404 200 200 404 404 404 404 404
GET    /catalogue/                                             200 200 200 200 200 200 200 200 200 200
GET    /hospitals/                                             200 200 200 200 200 200 200 200 200 200
GET    /catalogue/chest-ct/                                    404 404 404 404 404 404 404 404 404 404
GET    /catalogue/chest-ct/pictures/1/                         404 404 404 404 404 404 404 404 404 404
GET    /api/v1/catalogue/datasets/                             200 200 200 200 200 200 200 200 200 200
GET    /api/v1/catalogue/datasets/chest-ct/                    404 404 404 404 404 404 404 404 404 404
GET    /catalogue.ttl                                          200 200 200 200 200 200 200 200 200 200
GET    /catalogue.jsonld                                       200 200 200 200 200 200 200 200 200 200
GET    /fdp                                                    200 200 200 200 200 200 200 200 200 200
GET    /fdp/                                                   200 200 200 200 200 200 200 200 200 200
GET    /fdp/catalog/                                           200 200 200 200 200 200 200 200 200 200
GET    /fdp/catalog/atlas                                      200 200 200 200 200 200 200 200 200 200
GET    /fdp/dataset/                                           200 200 200 200 200 200 200 200 200 200
GET    /fdp/terms                                              200 200 200 200 200 200 200 200 200 200
GET    /fdp/dataset/chest-ct                                   404 404 404 404 404 404 404 404 404 404
GET    /fdp/dataset/chest-ct/distribution/                     404 404 404 404 404 404 404 404 404 404
GET    /fdp/distribution/chest-ct                              404 404 404 404 404 404 404 404 404 404
GET    /health                                                 503 503 503 503 503 503 503 503 503 503
GET    /home/                                                  302 302 302 302 302 302 302 302 302 302
GET    /incidental/                                            302 403 403 200 200 403 403 403 403 403
POST   /incidental/{finding}/seen/                             302 404 404 302 302 404 404 404 404 404
POST   /incidental/{finding}/answer/                           302 404 404 302 302 404 404 404 404 404
GET    /invitations/nothing/                                   404 404 404 404 404 404 404 404 404 404
POST   /invitations/nothing/                                   404 404 404 404 404 404 404 404 404 404
GET    /oidc/authorize/                                        302 400 400 400 400 400 400 400 400 400
POST   /oidc/authorize/                                        302 400 400 400 400 400 400 400 400 400
GET    /oidc/keys.json                                         200 200 200 200 200 200 200 200 200 200
GET    /oidc/sign-out/                                         200 200 200 200 200 200 200 200 200 200
POST   /oidc/token/                                            400 400 400 400 400 400 400 400 400 400
GET    /oidc/userinfo/                                         401 401 401 401 401 401 401 401 401 401
POST   /oidc/userinfo/                                         401 401 401 401 401 401 401 401 401 401
GET    /network/                                               302 403 200 403 403 403 403 403 403 403
POST   /network/invite/                                        302 403 200 403 403 403 403 403 403 403
POST   /network/invitations/{invitation}/withdraw/             302 403 302 403 403 403 403 403 403 403
POST   /network/join/                                          302 403 200 403 403 403 403 403 403 403
POST   /network/leave/                                         302 403 302 403 403 403 403 403 403 403
GET    /network/nodes/{node}/                                  302 403 200 403 403 403 403 403 403 403
POST   /network/nodes/{node}/                                  302 403 404 403 403 403 403 403 403 403
GET    /organisations/                                         302 200 200 200 200 200 200 200 200 200
GET    /organisations/new/                                     302 403 200 403 403 403 403 403 403 403
POST   /organisations/new/                                     302 403 200 403 403 403 403 403 403 403
GET    /organisations/nordhain/                                302 404 200 200 404 404 404 404 404 404
GET    /organisations/nordhain/accesses/                       302 404 404 200 404 404 404 404 404 404
GET    /organisations/nordhain/accesses/table.csv              302 404 404 200 404 404 404 404 404 404
GET    /organisations/nordhain/accesses/messages/              302 404 404 200 404 404 404 404 404 404
GET    /organisations/nordhain/datasets/new/                   302 404 404 200 404 404 404 404 404 404
POST   /organisations/nordhain/datasets/new/                   302 404 404 200 404 404 404 404 404 404
GET    /organisations/nordhain/members/                        302 404 200 200 404 404 404 404 404 404
POST   /organisations/nordhain/members/                        302 404 404 404 404 404 404 404 404 404
GET    /organisations/nordhain/vault/                          302 404 404 200 404 404 404 404 404 404
POST   /organisations/nordhain/vault/                          302 404 404 200 404 404 404 404 404 404
POST   /organisations/nordhain/vault/export/                   302 404 404 403 404 404 404 404 404 404
GET    /password-reset/                                        200 200 200 200 200 200 200 200 200 200
POST   /password-reset/                                        200 200 200 200 200 200 200 200 200 200
PUT    /password-reset/                                        200 200 200 200 200 200 200 200 200 200
GET    /password-reset/MQ/abc-def/                             200 200 200 200 200 200 200 200 200 200
POST   /password-reset/MQ/abc-def/                             200 200 200 200 200 200 200 200 200 200
PUT    /password-reset/MQ/abc-def/                             200 200 200 200 200 200 200 200 200 200
GET    /password-reset/sent/                                   200 200 200 200 200 200 200 200 200 200
GET    /projects/                                              302 200 200 200 200 200 200 200 200 200
GET    /projects/new/                                          302 403 403 200 403 403 403 403 403 403
POST   /projects/new/                                          302 403 403 200 403 403 403 403 403 403
GET    /projects/respond/                                      302 404 404 404 404 200 200 200 200 200
GET    /projects/respond/audit/                                302 404 404 404 404 200 403 403 403 403
GET    /projects/respond/audit.csv                             302 404 404 404 404 200 403 403 403 403
GET    /projects/respond/agreement/                            302 404 404 404 404 200 403 403 403 403
GET    /projects/respond/agreement.csv                         302 404 404 404 404 200 403 403 403 403
GET    /projects/respond/figures.json                          302 404 404 404 404 200 403 403 403 403
GET    /projects/respond/cases/                                302 404 404 404 404 200 200 403 403 403
GET    /projects/respond/cases/add/                            302 404 404 404 404 200 403 403 403 403
POST   /projects/respond/cases/add/                            302 404 404 404 404 400 403 403 403 403
POST   /projects/respond/cases/assign/                         302 404 404 404 404 400 403 403 403 403
POST   /projects/respond/cases/unassign/                       302 404 404 404 404 302 403 403 403 403
GET    /projects/respond/edit/                                 302 404 404 404 404 200 403 403 403 403
POST   /projects/respond/acts/1/                               302 404 404 404 404 404 403 403 403 403
POST   /projects/respond/cases/1/hand-over/                    302 404 404 404 404 404 403 403 403 403
POST   /projects/respond/members/specialties/                  302 404 404 404 404 404 403 403 403 403
POST   /projects/respond/edit/                                 302 404 404 404 404 200 403 403 403 403
GET    /projects/respond/cases/1/                              302 404 404 404 404 200 200 403 403 403
POST   /projects/respond/cases/1/purpose/                      302 404 404 404 404 302 403 403 403 403
POST   /projects/respond/cases/1/aside/                        302 404 404 404 404 404 403 403 403 403
GET    /projects/respond/reading/                              302 404 404 404 404 200 403 403 403 403
POST   /projects/respond/reading/                              302 404 404 404 404 400 403 403 403 403
POST   /projects/respond/reading/preview/                      302 404 404 404 404 200 403 403 403 403
POST   /projects/respond/cases/6/reopen/                       302 404 404 404 404 404 403 403 403 403
POST   /projects/respond/cases/6/adjudicate/                   302 404 404 404 404 302 302 403 403 403
POST   /projects/respond/cases/6/adjudicate/hand-over/         302 404 404 404 404 302 403 403 403 403
POST   /projects/respond/cases/1/adjudicate/                   302 404 404 404 404 302 302 403 403 403
GET    /projects/respond/hanging/                              302 404 404 404 404 200 403 403 403 403
GET    /projects/respond/hanging/new/                          302 404 404 404 404 200 403 403 403 403
POST   /projects/respond/hanging/new/                          302 404 404 404 404 400 403 403 403 403
GET    /projects/respond/hanging/{protocol}/                   302 404 404 404 404 200 403 403 403 403
POST   /projects/respond/hanging/{protocol}/                   302 404 404 404 404 400 403 403 403 403
POST   /projects/respond/hanging/preview/                      302 404 404 404 404 200 403 403 403 403
POST   /projects/respond/hanging/move/                         302 404 404 404 404 404 403 403 403 403
POST   /projects/respond/hanging/remove/                       302 404 404 404 404 404 403 403 403 403
GET    /projects/respond/labels/                               302 404 404 404 404 200 200 200 200 200
GET    /projects/respond/labels/1/                             302 404 404 404 404 200 200 200 200 200
GET    /projects/respond/labels/edit/                          302 404 404 404 404 200 403 403 403 403
POST   /projects/respond/labels/edit/                          302 404 404 404 404 400 403 403 403 403
GET    /projects/respond/labels/1/file/                        302 404 404 404 404 200 200 200 200 200
GET    /projects/respond/labels/draft/                         302 404 404 404 404 302 403 403 403 403
POST   /projects/respond/labels/draft/                         302 404 404 404 404 302 403 403 403 403
POST   /projects/respond/labels/draft/discard/                 302 404 404 404 404 302 403 403 403 403
POST   /projects/respond/labels/move/                          302 404 404 404 404 302 403 403 403 403
POST   /projects/respond/labels/import/                        302 404 404 404 404 302 403 403 403 403
GET    /projects/respond/labels/starters/                      302 404 404 404 404 200 403 403 403 403
GET    /projects/respond/labels/starters/recist/               302 404 404 404 404 200 403 403 403 403
POST   /projects/respond/labels/starters/recist/               302 404 404 404 404 302 403 403 403 403
GET    /projects/respond/labels/terms/                         302 404 404 404 404 200 403 403 403 403
POST   /projects/respond/labels/terms/                         302 404 404 404 404 400 403 403 403 403
GET    /projects/respond/labels/terms/search/                  302 404 404 404 404 200 403 403 403 403
POST   /projects/respond/labels/terms/remove/                  302 404 404 404 404 404 403 403 403 403
GET    /projects/respond/members/                              302 404 404 404 404 200 200 403 403 403
POST   /projects/respond/members/                              302 404 404 404 404 200 403 403 403 403
POST   /projects/respond/members/remove/                       302 404 404 404 404 404 403 403 403 403
POST   /projects/respond/share/                                302 404 404 404 404 404 403 403 403 403
POST   /projects/respond/members/withdraw/                     302 404 404 404 404 302 403 403 403 403
GET    /projects/respond/releases/                             302 404 404 404 404 200 403 403 403 200
GET    /projects/respond/releases/1/                           302 404 404 404 404 200 403 403 403 200
POST   /projects/respond/releases/1/                           302 404 404 404 404 302 403 403 403 403
GET    /projects/respond/cohort/                               302 404 404 404 404 200 403 403 403 403
GET    /projects/respond/releases/new/                         302 404 404 404 404 200 403 403 403 403
POST   /projects/respond/releases/new/                         302 404 404 404 404 400 403 403 403 403
POST   /projects/respond/releases/new/preview/                 302 404 404 404 404 200 403 403 403 403
GET    /projects/respond/releases/1/use/                       302 404 404 404 404 302 403 403 403 302
POST   /projects/respond/releases/1/use/                       302 404 404 404 404 400 403 403 403 400
GET    /projects/respond/releases/1/compare/1/                 302 404 404 404 404 200 403 403 403 200
GET    /projects/respond/releases/1/predictions/{p}/           302 404 404 404 404 200 403 403 403 200
POST   /projects/respond/releases/1/predictions/{p}/           302 404 404 404 404 302 403 403 403 403
GET    /projects/respond/cases/1/recall/                       302 404 404 404 404 200 403 403 403 403
POST   /projects/respond/cases/1/recall/                       302 404 404 404 404 400 403 403 403 403
GET    /projects/respond/cases/1/recall/lift/                  302 404 404 404 404 302 403 403 403 403
POST   /projects/respond/cases/1/recall/lift/                  302 404 404 404 404 302 403 403 403 403
POST   /recalls/{recall}/confirm/                              302 404 404 404 404 404 404 404 404 302
GET    /questions/                                             302 200 200 200 200 200 200 200 200 200
POST   /questions/                                             302 400 400 400 400 400 400 400 400 400
GET    /questions/held/                                        302 403 403 200 403 403 403 403 403 403
POST   /questions/held/{held_part}/                            302 404 404 400 404 404 404 404 404 404
GET    /questions/{question}/                                  302 404 404 404 404 404 404 404 404 200
GET    /questions/{question}/answers.csv                       302 404 404 404 404 404 404 404 404 200
POST   /questions/{question}/withdraw/                         302 404 404 404 404 404 404 404 404 302
GET    /reads/{assigned}/                                      302 404 404 404 404 200 404 200 404 403
GET    /reads/{submitted}/                                     302 404 404 404 404 200 200 200 404 403
GET    /reads/{others}/                                        302 404 404 404 404 200 404 404 200 403
GET    /sign-in/                                               200 302 302 302 302 302 302 302 302 302
POST   /sign-in/                                               200 302 302 302 302 302 302 302 302 302
PUT    /sign-in/                                               200 302 302 302 302 302 302 302 302 302
GET    /sign-in/network/                                       404 404 404 404 404 404 404 404 404 404
GET    /sign-in/network/back/                                  404 404 404 404 404 404 404 404 404 404
GET    /sign-in/network/who/                                   404 404 404 404 404 404 404 404 404 404
POST   /sign-in/network/who/                                   404 404 404 404 404 404 404 404 404 404
GET    /sign-out/network/                                      404 404 404 404 404 404 404 404 404 404
POST   /sign-out/                                              302 302 302 302 302 302 302 302 302 302
GET    /worklist/                                              302 200 200 200 200 200 200 200 200 200
POST   /worklist/take/                                         302 404 404 404 404 404 404 404 404 404
GET    /worklist/cases/respond/6/                              302 404 404 404 404 404 404 404 404 404
POST   /worklist/adjudicate/respond/2/                         302 404 404 404 404 302 302 403 403 403
POST   /worklist/{assigned}/give-back/                         302 404 404 404 404 302 404 302 404 403
POST   /worklist/{submitted}/give-back/                        302 404 404 404 404 302 302 302 404 403
POST   /worklist/{others}/give-back/                           302 404 404 404 404 302 404 404 302 403
GET    /worklist/next/                                         302 302 302 302 302 302 302 302 302 302
GET    /worklist/{assigned}/                                   302 404 404 404 404 200 404 200 404 403
GET    /worklist/{submitted}/                                  302 404 404 404 404 200 200 200 404 403
GET    /worklist/{others}/                                     302 404 404 404 404 200 404 404 200 403
GET    /api/docs/                                              200 200 200 200 200 200 200 200 200 200
GET    /api/schema/                                            200 200 200 200 200 200 200 200 200 200
GET    /api/v1/datasets/                                       401 200 200 200 200 200 200 200 200 200
GET    /api/v1/datasets/chest-ct/clinical/                     401 404 404 200 200 404 404 404 404 404
POST   /api/v1/datasets/chest-ct/clinical/                     401 404 404 400 400 404 404 404 404 404
GET    /api/v1/datasets/chest-ct/clinical/{facts}/             401 404 404 200 200 404 404 404 404 404
DELETE /api/v1/datasets/chest-ct/clinical/{facts}/             401 404 404 200 200 404 404 404 404 404
PUT    /api/v1/datasets/chest-ct/clinical/{facts}/mapping/     401 404 404 400 400 404 404 404 404 404
GET    /api/v1/datasets/chest-ct/subjects/{person}/facts/      401 404 404 200 200 404 404 404 404 404
GET    /api/v1/datasets/chest-ct/studies/                      401 404 404 200 200 404 404 404 404 404
POST   /api/v1/datasets/chest-ct/uploads/                      401 404 404 201 201 404 404 404 404 404
GET    /api/v1/datasets/chest-ct/uploads/{upload}/             401 404 404 200 200 404 404 404 404 404
DELETE /api/v1/datasets/chest-ct/uploads/{upload}/             401 404 404 200 200 404 404 404 404 404
POST   /api/v1/datasets/chest-ct/uploads/{upload}/done/        401 404 404 200 200 404 404 404 404 404
POST   /api/v1/datasets/chest-ct/uploads/{upload}/files/       401 400 400 400 400 400 400 400 400 400
PUT    /api/v1/datasets/chest-ct/uploads/{upload}/files/       401 400 400 400 400 400 400 400 400 400
POST   /api/v1/datasets/chest-ct/uploads/{upload}/large-files/ 401 404 404 400 400 404 404 404 404 404
PATCH  /api/v1/datasets/chest-ct/uploads/{upload}/large-files/{file}/ 401 404 404 400 400 404 404 404 404 404
DELETE /api/v1/datasets/chest-ct/uploads/{upload}/large-files/{file}/ 401 404 404 204 204 404 404 404 404 404
GET    /api/v1/me/preferences/                                 401 200 200 200 200 200 200 200 200 200
PUT    /api/v1/me/preferences/                                 401 200 200 200 200 200 200 200 200 200
GET    /api/v1/projects/respond/cohort/                        401 404 404 404 404 400 403 403 403 403
POST   /api/v1/projects/respond/cohort/                        401 404 404 404 404 400 403 403 403 403
GET    /api/v1/projects/respond/cohort/fields/                 401 404 404 404 404 200 403 403 403 403
GET    /api/v1/projects/respond/releases/                      401 404 404 404 404 200 403 403 403 200
POST   /api/v1/projects/respond/releases/                      401 404 404 404 404 201 403 403 403 403
GET    /api/v1/projects/respond/releases/1/                    401 404 404 404 404 200 403 403 403 200
GET    /api/v1/projects/respond/releases/1/archive/            401 404 404 404 404 200 403 403 403 200
GET    /api/v1/projects/respond/releases/1/files/dataset.json  401 404 404 404 404 200 403 403 403 200
GET    /api/v1/projects/respond/releases/1/manifest/           401 404 404 404 404 200 403 403 403 200
POST   /api/v1/projects/respond/releases/1/use/                401 404 404 404 404 400 403 403 403 400
POST   /api/v1/projects/respond/releases/1/cancel/             401 404 404 404 404 400 403 403 403 403
POST   /api/v1/projects/respond/releases/1/retry/              401 404 404 404 404 400 403 403 403 403
GET    /api/v1/projects/respond/releases/1/predictions/        401 404 404 404 404 200 403 403 403 200
POST   /api/v1/projects/respond/releases/1/predictions/        401 404 404 404 404 400 403 403 403 400
GET    /api/v1/projects/respond/releases/1/predictions/{p}/    401 404 404 404 404 200 403 403 403 200
DELETE /api/v1/projects/respond/releases/1/predictions/{p}/    401 404 404 404 404 204 403 403 403 204
PUT    /api/v1/projects/respond/releases/1/predictions/{p}/files/a.dcm 401 404 404 404 404 403 403 403 403 400
POST   /api/v1/projects/respond/releases/1/predictions/{p}/hand-in/ 401 404 404 404 404 403 403 403 403 400
POST   /api/v1/projects/respond/releases/1/predictions/{p}/propose/ 401 404 404 404 404 400 403 403 403 403
GET    /api/v1/releases/                                       401 200 200 200 200 200 200 200 200 200
GET    /api/v1/access/requests/                                401 200 200 200 200 200 200 200 200 200
GET    /api/v1/access/grants/                                  401 200 200 200 200 200 200 200 200 200
GET    /api/v1/access/studies/{study}/                         401 404 404 200 200 404 404 404 404 404
GET    /api/v1/questions/                                      401 200 200 200 200 200 200 200 200 200
POST   /api/v1/questions/                                      401 400 400 400 400 400 400 400 400 400
GET    /api/v1/questions/fields/                               401 200 200 200 200 200 200 200 200 200
POST   /api/v1/questions/read/                                 401 400 400 400 400 400 400 400 400 400
GET    /api/v1/questions/{question}/                           401 404 404 404 404 404 404 404 404 200
POST   /api/v1/questions/{question}/withdraw/                  401 404 404 404 404 404 404 404 404 200
GET    /api/v1/reads/                                          401 200 200 200 200 200 200 200 200 200
GET    /api/v1/reads/{assigned}/                               401 404 404 404 404 200 404 200 404 403
POST   /api/v1/reads/{assigned}/comments/                      401 404 404 404 404 409 404 403 404 403
POST   /api/v1/reads/{assigned}/comments/{comment}/resolve/    401 404 404 404 404 404 404 404 404 403
POST   /api/v1/reads/{assigned}/comments/{comment}/reopen/    401 404 404 404 404 404 404 404 404 403
POST   /api/v1/reads/{assigned}/comments/{comment}/replies/   401 404 404 404 404 404 404 404 404 403
GET    /api/v1/reads/{assigned}/diff/                          401 404 404 404 404 403 404 409 404 403
POST   /api/v1/reads/{assigned}/incidental/                    401 404 404 404 404 400 404 400 404 403
POST   /api/v1/reads/{assigned}/edits/                         401 404 404 404 404 403 404 200 404 403
GET    /api/v1/reads/{assigned}/gestures/                      401 404 404 404 404 403 404 200 404 403
GET    /api/v1/reads/{assigned}/history/                       401 404 404 404 404 403 404 200 404 403
GET    /api/v1/reads/{assigned}/imported/{segment}/            401 404 404 404 404 404 404 404 404 403
GET    /api/v1/reads/{assigned}/measurements/                  401 404 404 404 404 403 404 200 404 403
POST   /api/v1/reads/{assigned}/open/                          401 404 404 404 404 403 404 200 404 403
GET    /api/v1/reads/{assigned}/parked/                        401 404 404 404 404 403 404 200 404 403
POST   /api/v1/reads/{assigned}/parked/{parked}/settle/        401 404 404 404 404 403 404 404 404 403
POST   /api/v1/reads/{assigned}/review/                        401 404 404 404 404 409 404 403 404 403
GET    /api/v1/reads/{assigned}/state/                         401 404 404 404 404 403 404 200 404 403
POST   /api/v1/reads/{assigned}/submit/                        401 404 404 404 404 403 404 409 404 403
POST   /api/v1/reads/{assigned}/lock-unaided/                  401 404 404 404 404 403 404 409 404 403
GET    /api/v1/reads/{assigned}/feedback/                      401 404 404 404 404 404 404 404 404 403
POST   /api/v1/reads/{assigned}/time/                          401 404 404 404 404 403 404 204 404 403
GET    /api/v1/reads/{submitted}/                              401 404 404 404 404 200 200 200 404 403
POST   /api/v1/reads/{submitted}/comments/                     401 404 404 404 404 201 201 403 404 403
POST   /api/v1/reads/{submitted}/comments/{comment}/resolve/   401 404 404 404 404 200 200 404 404 403
POST   /api/v1/reads/{submitted}/comments/{comment}/reopen/   401 404 404 404 404 200 200 404 404 403
POST   /api/v1/reads/{submitted}/comments/{comment}/replies/  401 404 404 404 404 201 201 404 404 403
GET    /api/v1/reads/{submitted}/diff/                         401 404 404 404 404 409 409 409 404 403
POST   /api/v1/reads/{submitted}/incidental/                   401 404 404 404 404 400 400 400 404 403
POST   /api/v1/reads/{submitted}/edits/                        401 404 404 404 404 403 403 200 404 403
GET    /api/v1/reads/{submitted}/gestures/                     401 404 404 404 404 200 200 200 404 403
GET    /api/v1/reads/{submitted}/history/                      401 404 404 404 404 200 200 200 404 403
GET    /api/v1/reads/{submitted}/imported/{segment}/           401 404 404 404 404 200 200 200 404 403
GET    /api/v1/reads/{submitted}/measurements/                 401 404 404 404 404 200 200 200 404 403
POST   /api/v1/reads/{submitted}/open/                         401 404 404 404 404 403 403 200 404 403
GET    /api/v1/reads/{submitted}/parked/                       401 404 404 404 404 403 403 200 404 403
POST   /api/v1/reads/{submitted}/parked/{parked}/settle/       401 404 404 404 404 403 403 404 404 403
POST   /api/v1/reads/{submitted}/review/                       401 404 404 404 404 200 200 403 404 403
GET    /api/v1/reads/{submitted}/state/                        401 404 404 404 404 200 200 200 404 403
POST   /api/v1/reads/{submitted}/submit/                       401 404 404 404 404 403 403 409 404 403
POST   /api/v1/reads/{submitted}/lock-unaided/                 401 404 404 404 404 403 403 409 404 403
GET    /api/v1/reads/{submitted}/feedback/                     401 404 404 404 404 404 404 404 404 403
POST   /api/v1/reads/{submitted}/time/                         401 404 404 404 404 403 403 204 404 403
GET    /api/v1/reads/{adjudication}/                           401 404 404 404 404 200 200 404 404 403
GET    /api/v1/reads/{adjudication}/adjudication/              401 404 404 404 404 403 200 404 404 403
GET    /api/v1/reads/{adjudication}/adjudication/reads/{judged}/state/ 401 404 404 404 404 403 200 404 404 403
GET    /api/v1/reads/{adjudication}/adjudication/reads/{others}/state/ 401 404 404 404 404 403 404 404 404 403
POST   /api/v1/reads/{adjudication}/adjudication/lesions/1/preview/ 401 404 404 404 404 403 400 404 404 403
POST   /api/v1/reads/{adjudication}/adjudication/lesions/1/settle/ 401 404 404 404 404 403 400 404 404 403
POST   /api/v1/reads/{adjudication}/adjudication/lesions/1/open/ 401 404 404 404 404 403 400 404 404 403
POST   /api/v1/reads/{adjudication}/adjudication/compare/      401 404 404 404 404 403 200 404 404 403
POST   /api/v1/reads/{adjudication}/adjudication/agreed/       401 404 404 404 404 403 200 404 404 403
POST   /api/v1/reads/{adjudication}/adjudication/hand-over/    401 404 404 404 404 400 403 404 404 403
GET    /api/v1/reads/{submitted}/adjudication/                 401 404 404 404 404 404 404 404 404 403
POST   /api/v1/reads/{submitted}/adjudication/agreed/          401 404 404 404 404 404 404 404 404 403
GET    /api/v1/projects/respond/cases/6/adjudication/         401 404 404 404 404 200 200 403 403 403
POST   /api/v1/projects/respond/cases/6/adjudication/         401 404 404 404 404 409 201 403 403 403
GET    /api/v1/projects/respond/cases/1/adjudication/          401 404 404 404 404 200 200 403 403 403
GET    /api/v1/reads/{others}/                                 401 404 404 404 404 200 404 404 200 403
POST   /api/v1/reads/{others}/comments/                        401 404 404 404 404 409 404 404 403 403
POST   /api/v1/reads/{others}/comments/{comment}/resolve/      401 404 404 404 404 404 404 404 404 403
POST   /api/v1/reads/{others}/comments/{comment}/reopen/      401 404 404 404 404 404 404 404 404 403
POST   /api/v1/reads/{others}/comments/{comment}/replies/     401 404 404 404 404 404 404 404 404 403
GET    /api/v1/reads/{others}/diff/                            401 404 404 404 404 403 404 404 409 403
POST   /api/v1/reads/{others}/incidental/                      401 404 404 404 404 400 404 404 400 403
POST   /api/v1/reads/{others}/edits/                           401 404 404 404 404 403 404 404 200 403
GET    /api/v1/reads/{others}/gestures/                        401 404 404 404 404 403 404 404 200 403
GET    /api/v1/reads/{others}/history/                         401 404 404 404 404 403 404 404 200 403
GET    /api/v1/reads/{others}/imported/{segment}/              401 404 404 404 404 404 404 404 404 403
GET    /api/v1/reads/{others}/measurements/                    401 404 404 404 404 403 404 404 200 403
POST   /api/v1/reads/{others}/open/                            401 404 404 404 404 403 404 404 200 403
GET    /api/v1/reads/{others}/parked/                          401 404 404 404 404 403 404 404 200 403
POST   /api/v1/reads/{others}/parked/{parked}/settle/          401 404 404 404 404 403 404 404 404 403
POST   /api/v1/reads/{others}/review/                          401 404 404 404 404 409 404 404 403 403
GET    /api/v1/reads/{others}/state/                           401 404 404 404 404 403 404 404 200 403
POST   /api/v1/reads/{others}/submit/                          401 404 404 404 404 403 404 404 409 403
POST   /api/v1/reads/{others}/lock-unaided/                    401 404 404 404 404 403 404 404 409 403
GET    /api/v1/reads/{others}/feedback/                        401 404 404 404 404 404 404 404 404 403
POST   /api/v1/reads/{others}/time/                            401 404 404 404 404 403 404 404 204 403
GET    /api/v1/series/{series}/derived/                        401 404 404 200 200 200 200 200 404 404
GET    /api/v1/series/{series}/manifest/                       401 404 404 200 200 200 200 200 404 404
GET    /api/v1/series/{series}/pack/                           401 404 404 200 200 403 403 403 404 404
GET    /api/v1/tokens/                                         401 200 200 200 200 200 200 200 200 200
POST   /api/v1/tokens/                                         400 400 400 400 400 400 400 400 400 400
DELETE /api/v1/tokens/{token}/                                 401 404 404 404 404 404 404 404 404 204
"""

PIXELS = """
/pixels/{series}/1/0      401 404 404 200 200 200 200 200 404 404
/pixels/{series}/1/0-1    401 404 404 200 200 200 200 200 404 404
/thumbnails/{series}/1    401 404 404 200 200 200 200 200 404 404
/pixels/{series}/2/0      401 404 404 404 404 404 404 404 404 404
"""

# {its} is the series of case 5 below a root of DICOMweb, {image} one of its images.
DICOMWEB = """
/dicomweb/studies                                401 204 204 200 200 200 200 200 200 200
/dicomweb/series                                 401 204 204 200 200 200 200 200 200 200
/dicomweb/instances                              401 204 204 200 200 200 200 200 204 204
/dicomweb/datasets/chest-ct/studies              401 404 404 200 200 404 404 404 404 404
/dicomweb/projects/respond/studies               401 404 404 404 404 200 200 200 200 200
/dicomweb/studies/{study_uid}/series             401 204 204 200 200 200 200 200 204 204
/dicomweb/studies/{study_uid}/instances          401 204 204 200 200 200 200 200 204 204
/dicomweb{its}/instances                         401 204 204 200 200 200 200 200 204 204
/dicomweb/studies/{study_uid}                    401 404 404 200 200 200 200 200 404 404
/dicomweb/studies/{study_uid}/metadata           401 404 404 200 200 200 200 200 404 404
/dicomweb/studies/{study_uid}/rendered           401 404 404 200 200 200 200 200 404 404
/dicomweb/studies/{study_uid}/thumbnail          401 404 404 200 200 200 200 200 404 404
/dicomweb{its}                                   401 404 404 200 200 200 200 200 404 404
/dicomweb{its}/metadata                          401 404 404 200 200 200 200 200 404 404
/dicomweb{its}/rendered                          401 404 404 200 200 200 200 200 404 404
/dicomweb{its}/thumbnail                         401 404 404 200 200 200 200 200 404 404
/dicomweb{image}                                 401 404 404 200 200 200 200 200 404 404
/dicomweb{image}/metadata                        401 404 404 200 200 200 200 200 404 404
/dicomweb{image}/rendered                        401 404 404 200 200 200 200 200 404 404
/dicomweb{image}/thumbnail                       401 404 404 200 200 200 200 200 404 404
/dicomweb{image}/frames/1                        401 404 404 200 200 200 200 200 404 404
/dicomweb{image}/frames/1/rendered               401 404 404 200 200 200 200 200 404 404
/dicomweb{image}/bulkdata/7FE00010               401 404 404 200 200 200 200 200 404 404
/dicomweb/datasets/chest-ct{its}                 401 404 404 200 200 404 404 404 404 404
/dicomweb/datasets/chest-ct{image}/frames/1      401 404 404 200 200 404 404 404 404 404
/dicomweb/projects/respond{its}                  401 404 404 404 404 200 200 200 404 404
/dicomweb/projects/respond{image}/frames/1       401 404 404 404 404 200 200 200 404 404
"""

WEBSOCKETS = """
/ws/reads/{assigned}/     4404 4404 4404 4404 4404 open 4404 open 4404 4404
/ws/reads/{submitted}/    4404 4404 4404 4404 4404 open open open 4404 4404
/ws/reads/{others}/       4404 4404 4404 4404 4404 open 4404 4404 open 4404
/ws/reads/{adjudication}/ 4404 4404 4404 4404 4404 open open 4404 4404 4404
/ws/projects/respond/     4404 4404 4404 4404 4404 open open open open open
/ws/datasets/chest-ct/    4404 4404 4404 open open 4404 4404 4404 4404 4404
/ws/incidental/           4404 4404 4404 open open 4404 4404 4404 4404 4404
/ws/questions/held/       4404 4404 4404 open 4404 4404 4404 4404 4404 4404
/ws/questions/{question}/ 4404 4404 4404 4404 4404 4404 4404 4404 4404 open
"""

# Django's own views: one answers every method with the same page, one sends away who is signed in already.
ANY_METHOD = {"password-reset/<uidb64>/<token>/", "sign-in/"}


def rows(table: str, words: int) -> list[tuple[str, ...]]:
    """The first words of each line, then what each role gets."""
    lines = [line.split() for line in table.strip().splitlines()]
    assert all(len(line) == words + len(ROLES) for line in lines)
    return [(*line[:words], dict(zip(ROLES, line[words:], strict=True))) for line in lines]  # type: ignore[misc]


def route_of(path: str) -> str:
    return str(resolve(path.replace("{", "").replace("}", "")).route)


@pytest.fixture(scope="module")
def walk(django_db_setup, django_db_blocker):
    """One committed node for all rows: pixels and websockets ask from threads of their own."""
    with django_db_blocker.unblock():
        walk = build()
        yield walk
        walk.close()
        call_command("flush", verbosity=0, interactive=False)


@pytest.mark.parametrize(("method", "path", "expected"), rows(TABLE, 2))
def test_each_person_gets_what_the_table_says(walk: Walk, method: str, path: str, expected: dict) -> None:
    assert {role: str(walk.http(role, method, path)) for role in ROLES} == expected


@pytest.mark.parametrize(("path", "expected"), rows(PIXELS, 1))
def test_each_person_gets_the_pixels_that_are_theirs(walk: Walk, path: str, expected: dict) -> None:
    assert {role: str(walk.raw(role, path)) for role in ROLES} == expected


@pytest.mark.parametrize(("path", "expected"), rows(DICOMWEB, 1))
def test_each_person_gets_by_dicomweb_what_is_theirs(walk: Walk, path: str, expected: dict) -> None:
    assert {role: str(walk.raw(role, path)) for role in ROLES} == expected


@pytest.mark.parametrize(("path", "expected"), rows(WEBSOCKETS, 1))
def test_each_person_hears_what_is_theirs(walk: Walk, path: str, expected: dict) -> None:
    assert {role: walk.websocket(role, path) for role in ROLES} == expected


def test_every_address_has_a_row() -> None:
    listed = {route_of(path) for _, path, _ in rows(TABLE, 2)}
    assert routes() - listed == set()


def test_every_websocket_has_a_row() -> None:
    listed = {path.split("/")[2] for path, _ in rows(WEBSOCKETS, 1)}
    assert {route.split("/")[1] for route in websocket_routes()} - listed == set()


def test_no_method_is_answered_that_has_no_row(walk: Walk) -> None:
    listed = {(method, route_of(path)): path for method, path, _ in rows(TABLE, 2)}
    answered = []
    for route, path in {route: path for (_, route), path in listed.items()}.items():
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            if (method, route) in listed or route in ANY_METHOD:
                continue
            if walk.http("lead", method, path) != 405:
                answered.append(f"{method} {route}")
    assert answered == []
