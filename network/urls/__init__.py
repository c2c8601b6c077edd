"""The pages of the network, by what they are about."""

from network.urls import access, catalogue, dcat, federation, home, questions, sharing

urlpatterns = [
    *home.urlpatterns,
    *catalogue.urlpatterns,
    *dcat.urlpatterns,
    *questions.urlpatterns,
    *access.urlpatterns,
    *federation.urlpatterns,
    *sharing.urlpatterns,
]
