"""Train one fold of a study: network input, architecture, loss and training loop."""
