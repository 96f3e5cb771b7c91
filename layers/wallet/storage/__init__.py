"""MySQL, and nothing but MySQL: the connection, the kernel's procedures, and the reading queries."""
