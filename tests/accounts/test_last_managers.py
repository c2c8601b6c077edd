"""Two managers remove each other in the same instant: one of them stays."""

import threading

import pytest
from django.db import connection

from accounts import permissions
from accounts.models import Organisation, User
from accounts.services.members import remove_member

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_two_last_managers_that_remove_each_other_at_once_one_stays():
    organisation = Organisation.objects.create(name="Karlsund", slug="karlsund", country="NO")
    people = [User.objects.create_user(name, password="x") for name in ("anna", "bo")]
    for person in people:
        permissions.grant(user=person, role="manager", scope=organisation)
    start, refused = threading.Barrier(2), []

    def remove(by: User, person: User) -> None:
        start.wait()
        try:
            remove_member(by=by, person=person, role="manager", scope=organisation)
        except Exception as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=pair) for pair in (people, people[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(permissions.members_of(organisation)) == 1
    assert len(refused) == 1
