"""What is wrong with a cell, a row or a file: sentences that never hold the value itself."""


class Wrong(Exception):
    """A cell or row is not taken. `column` is the name of the column, or the path in a FHIR resource."""

    def __init__(self, sentence: str, column: str = "") -> None:
        super().__init__(sentence)
        self.sentence, self.column = sentence, column


class NotTaken(Exception):
    """The whole file is not taken. The message is a sentence."""
