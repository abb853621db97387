"""What a published page needs beyond its text."""
