"""What money does: in from a gateway, across between wallets. One movement, one commit."""
