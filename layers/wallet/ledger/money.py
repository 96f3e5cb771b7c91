"""Money is a whole number of minor units (paise) and a currency; there is no other kind of amount here."""

INR = "INR"

#: The largest amount of one movement, in minor units. It is the largest integer that JSON readers without
#: integers of their own (JavaScript) still read exactly, so that no caller ever sees another number than ours.
MAX_AMOUNT = 2**53 - 1
