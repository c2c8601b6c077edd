"""Questions that cross nodes."""

from django.urls import path

from network.api import questions as api
from network.views import questions

urlpatterns = [
    path("questions/", questions.asking_page, name="questions"),
    path("questions/held/", questions.held_page, name="questions-held"),
    path("questions/held/<str:public_id>/", questions.decide, name="question-decide"),
    path("questions/<str:public_id>/", questions.result_page, name="question"),
    path("questions/<str:public_id>/withdraw/", questions.withdraw, name="question-withdraw"),
    path("questions/<str:public_id>/answers.csv", questions.table, name="question-table"),
]
api_urlpatterns = [
    path("questions/", api.Questions.as_view(), name="api-questions"),
    path("questions/fields/", api.QuestionFields.as_view(), name="api-question-fields"),
    path("questions/read/", api.QuestionRead.as_view(), name="api-question-read"),
    path("questions/<str:public_id>/", api.OneQuestion.as_view(), name="api-question"),
    path("questions/<str:public_id>/withdraw/", api.QuestionWithdraw.as_view(), name="api-question-withdraw"),
]
