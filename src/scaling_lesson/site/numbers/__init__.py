"""What a number is: how it is written, what a page published, and what was accepted."""
