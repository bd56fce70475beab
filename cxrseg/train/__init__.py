"""Train one fold of a study: what the network sees, what it is, and how it learns."""
