"""Reading a page: its text for blocks and claims, each with its line, and the tree Markdown makes of it for everything else."""
