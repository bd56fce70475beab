"""Measure what lies in masks: the areas and the shape of the lungs, and the cardiothoracic ratio."""
