"""Sessions: who has signed in, on what, and until when."""
