"""What is counted: the facts of each published dataset, in columns, and questions put to them."""
