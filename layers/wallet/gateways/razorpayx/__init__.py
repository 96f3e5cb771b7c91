"""RazorpayX: payouts from our account there to people's UPI addresses."""
