"""The node that is measured: as it would be served, with a dataset that de-identifies at the door."""

from tests.e2e.node import Node

WEB_PROCESSES = 2
DATASET = "bench"
_SETUP = f"""
from accounts import permissions
from accounts.models import Organisation, User
from accounts.services.tokens import make_token
from atlas.models import Dataset
organisation = Organisation.objects.create(name="Bench", slug="bench", country="NO")
dataset = Dataset.objects.create(
    organisation=organisation, name="Bench", slug="{DATASET}",
    deidentification=Dataset.Deidentification.AT_THE_DOOR,
    deidentification_options=["dates", "patient_characteristics", "device_identity", "clean_descriptors"],
)
manager = User.objects.create_user("bench", password="bench-bench-bench")
permissions.grant(user=manager, role="manager", scope=organisation)
print(make_token(by=manager, name="bench")[1])
"""


class BenchNode(Node):
    """A node with one organisation, one dataset, one manager and a bearer token of theirs."""

    token: str

    def __init__(self) -> None:
        super().__init__(web=WEB_PROCESSES)

    def __enter__(self) -> "BenchNode":
        super().__enter__()
        self.token = self.python(_SETUP).strip().splitlines()[-1]
        return self

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}
