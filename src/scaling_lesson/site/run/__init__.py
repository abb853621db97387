"""Running a page's blocks in a process of the page's own: what they publish, draw and print, and from which expression."""
