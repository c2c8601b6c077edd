"""The node that is measured: as it would be served, with a dataset that de-identifies at the door."""

import time

from tests.e2e.node import Node

WEB_PROCESSES = 2
DATASET = "bench"
PACKED_WITHIN_S = 240
_PACKED = "from atlas.models import Series; print(Series.objects.exclude(pack_key='').count())"
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

    def wait_until_packed(self, series: int = 1) -> None:
        """Until so many series are at rest, each one pack: then they are read as they will be for years."""
        deadline = time.monotonic() + PACKED_WITHIN_S
        while int(self.python(_PACKED)) < series:
            if time.monotonic() > deadline:
                raise SystemExit(f"The series were not packed:\n{self.log_tail()}")
            time.sleep(1)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}
