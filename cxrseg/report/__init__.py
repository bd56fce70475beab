"""The report of a run: figures, interactive pages and the build of the book."""
