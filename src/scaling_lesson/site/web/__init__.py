"""What a site has beyond the text of its pages: lists of numbers and sources, terms, time to read, the notebook."""
