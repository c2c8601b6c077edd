"""Lists come in pages that a program can walk without missing a row."""

from rest_framework.pagination import LimitOffsetPagination


class Pages(LimitOffsetPagination):
    """`?limit=` (at most 1000) and `?offset=`."""

    default_limit = 100
    max_limit = 1000
