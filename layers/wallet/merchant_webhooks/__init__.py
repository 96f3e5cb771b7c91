"""Webhooks to merchants, by the Standard Webhooks specification: each attempt signed over the bytes it sends."""
