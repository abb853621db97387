"""Running a page's blocks in a process of its own: what they publish, draw and print, and from which expression."""
