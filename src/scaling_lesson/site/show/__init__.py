"""What is shown of what was judged: claims with their cards, blocks, lists of numbers and sources. Decides nothing."""
