"""What every page shares: protection, errors, paging, and how things are worded."""
