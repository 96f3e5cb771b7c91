"""What must hold over everything that is kept: one query each, which finds what is at fault."""
