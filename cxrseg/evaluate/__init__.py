"""From images to scores: predictions, masks, metrics, and what the numbers can be compared with."""
