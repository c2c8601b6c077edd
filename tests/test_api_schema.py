"""The description of the REST API, from which programs make their clients."""

from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator


def test_no_two_shapes_of_the_api_have_one_name(db) -> None:
    """Or one would stand in the place of the other."""
    GENERATOR_STATS.reset()
    schema = SchemaGenerator().get_schema(request=None, public=True)
    assert not [text for text in map(str, GENERATOR_STATS._warn_cache) if "identical names" in text]
    shapes = schema["components"]["schemas"]
    assert "nodes" in shapes["QuestionAndAnswersShape"]["properties"]
