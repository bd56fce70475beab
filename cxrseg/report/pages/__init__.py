"""Interactive and assembled pages of the book, one module a page: each writes what its page loads."""
