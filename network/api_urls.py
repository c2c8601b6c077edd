from network.urls import access, catalogue, questions

urlpatterns = [
    *catalogue.api_urlpatterns,
    *questions.api_urlpatterns,
    *access.api_urlpatterns,
]
