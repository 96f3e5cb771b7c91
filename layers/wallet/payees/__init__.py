"""Who somebody would pay, before they do."""
