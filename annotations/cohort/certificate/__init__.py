"""Files of a release, read back by other readers than wrote them and compared with the journal."""
