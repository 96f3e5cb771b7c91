"""What a payment or a withdrawal would come to, before it is asked for."""
