"""One module a line of the table: what is done, on whom, and what limit it must keep."""
