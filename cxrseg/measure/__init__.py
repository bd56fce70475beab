"""Measure what lies in masks: the areas of the lungs, and the cardiothoracic ratio."""
