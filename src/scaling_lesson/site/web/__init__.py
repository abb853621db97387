"""What a site has beyond the text of its pages: numbers.json, lists, terms explained, time to read, the notebook."""
