"""The tags of the house style."""

import re
from datetime import date, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone

from network.templatetags import house


def rendered(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


def test_an_icon_is_hidden_unless_it_has_a_label():
    assert 'aria-hidden="true"' in rendered('{% icon "search" %}')
    labelled = rendered('{% icon "search" 12 "Search" %}')
    assert 'role="img"' in labelled
    assert 'aria-label="Search"' in labelled
    assert 'width="12"' in labelled


def test_an_unknown_icon_is_an_error_and_not_a_gap():
    with pytest.raises(Exception, match="does not exist"):
        rendered('{% icon "no-such-icon" %}')


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 cases"), (1, "1 case"), (2, "2 cases"), (45758, "45,758 cases")]
)
def test_counts_bend_their_noun(count, words):
    assert house.plural(count, "case,cases").replace("\N{NO-BREAK SPACE}", " ") == words


@pytest.mark.parametrize(
    ("bytes_", "words"), [(None, "–"), (0, "0 B"), (999, "999 B"), (4_200_000, "4.2 MB"), (1.3e15, "1300 TB")]
)
def test_sizes_are_read_by_people(bytes_, words):
    assert house.size(bytes_) == words


def test_moments_of_today_tell_the_time_others_the_day():
    now = timezone.now()
    assert house.moment(now) == f"today {now:%H:%M}"
    assert house.moment(datetime(2024, 3, 5, 14, 2, tzinfo=now.tzinfo)) == "5 Mar 2024, 14:02"
    assert house.day(date(2026, 11, 22)) == "22 Nov 2026"
    assert house.day(None) == "–"


def test_shares_of_nothing_are_a_dash():
    assert house.share(1, 0) == "–"
    assert house.share(1, 3).replace("\N{NO-BREAK SPACE}", " ") == "33 %"


def test_bars_are_as_long_as_their_share():
    assert 'width="25.0"' in house.bar(5, 20)
    assert 'width="0"' in house.bar(0, 0)


def test_heat_is_logarithmic_and_nothing_for_zero():
    assert house.heat(0, 100) == ""
    assert house.heat(100, 100) == "heat-10"
    assert house.heat(9, 99) == "heat-5"


def test_a_timeline_is_drawn_to_scale_and_says_what_it_shows():
    first = date(2024, 1, 1)
    days = [first + timedelta(days=365), first, None, first + timedelta(days=73)]
    drawn = house.timeline(days, span_days=730, width=742)
    assert re.findall(r'cx="([\d.]+)"', drawn) == ["6.0", "79.0", "371.0"]
    assert drawn.count('class="last"') == 1
    assert 'aria-label="3 time points over 365 days"' in drawn
    assert "no dates" in house.timeline([None])


def test_a_country_is_told_by_name():
    assert house.country("SE") == "Sweden"
    assert house.country("") == ""
