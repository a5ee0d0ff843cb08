"""Digits in one step, by every few-step method."""
