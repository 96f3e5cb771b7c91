"""The whole stack on this machine: a private database, an AWS emulator, a gateway simulator, one template."""
