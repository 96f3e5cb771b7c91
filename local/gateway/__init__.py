"""A server that speaks the gateways' HTTP protocols: the outside world of the local stack and of the tests.

It shares no code with the adapter that talks to it, so that one can't hide the other's mistakes.
"""
