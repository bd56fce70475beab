"""From a source of radiographs to a prepared dataset."""
