"""Read what files hold: radiographs and masks of any kind, in folders and ZIP archives."""
