"""Reading a page: its text for blocks and claims, each with its line; for all else, the tree Markdown makes of it."""
