"""The report: its figures and its interactive pages, and the build of the book."""
