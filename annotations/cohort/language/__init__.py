"""The cohort language: which cases, told by facts of subjects, images and marks.

Pure modules: `fields` lists what may be asked, `expression` is what is asked, `parse` reads and writes it
as JSON, `text` as text, `url` in an address, `words` for people. With Django: `known` are the values of a
project, `compiled` finds the cases, `counts` counts them. What isn't understood whole is an error.
"""

from annotations.cohort.language.compiled import cases_matching
from annotations.cohort.language.errors import CohortError
from annotations.cohort.language.expression import Expression
from annotations.cohort.language.fields import FIELDS
from annotations.cohort.language.parse import as_json, parse
from annotations.cohort.language.text import read as parse_text
from annotations.cohort.language.text import written
from annotations.cohort.language.url import as_params, from_params, from_text
from annotations.cohort.language.words import as_text

__all__ = [
    "FIELDS",
    "CohortError",
    "Expression",
    "as_json",
    "as_params",
    "as_text",
    "cases_matching",
    "from_params",
    "from_text",
    "parse",
    "parse_text",
    "written",
]
