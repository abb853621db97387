"""What is shown of what was judged: claims with their cards, and blocks. Decides nothing."""
