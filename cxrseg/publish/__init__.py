"""Measure what the book rests on: experiments as data, their results in one form, and what has changed since."""
